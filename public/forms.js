// Small manners of forms: ask before something is deleted, and offer only the versions of the chosen condition.
// Without this script every form works; the server then says what does not fit.

document.addEventListener('submit', (event) => {
  const words = event.target.dataset.confirm
  if (words && !window.confirm(words)) event.preventDefault()
})

/** Every version list as the server wrote it: [select, its first option, its groups]. */
const lists = [...document.querySelectorAll('select[data-versions]')].map((select) => ({
  select,
  first: select.querySelector(':scope > option'),
  groups: [...select.querySelectorAll('optgroup')],
}))

function chosenCondition() {
  return document.querySelector('[data-conditions] input:checked')?.value
}

/** Safari cannot hide an optgroup, so the ones of other conditions are taken out and put back. */
function offerVersions() {
  const condition = chosenCondition()
  for (const { select, first, groups } of lists) {
    const before = select.value
    const shown = groups.filter(
      (group) => condition === undefined || group.dataset.condition === condition,
    )
    select.replaceChildren(...(first ? [first] : []), ...shown)
    select.value = before
    if (select.selectedIndex === -1) select.value = ''
    if (select.value === '' && condition !== undefined) {
      select.value = defaultVersion(select.dataset.versionsDefault, shown)
    }
  }
  for (const button of document.querySelectorAll('[data-example-choice] [data-condition]')) {
    button.hidden = condition !== undefined && button.dataset.condition !== condition
  }
}

/** A comparison starts with the active version against the newest other one. */
function defaultVersion(wanted, groups) {
  if (wanted === undefined) return ''
  const choices = groups.flatMap((group) => [...group.children])
  const active = choices.find((option) => option.text.includes('(active'))
  const other = choices.find((option) => option !== active)
  return (wanted === 'active' ? active : other)?.value ?? ''
}

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-conditions] input')) offerVersions()
})
offerVersions()

// On a narrow screen the bar of places scrolls; where one is should be in sight. (Not scrollIntoView: it would move the
// starting point of the keyboard.)
const place = document.querySelector('.places [aria-current]')
if (place) {
  const bar = place.parentElement
  bar.scrollLeft = place.offsetLeft - bar.offsetLeft - (bar.clientWidth - place.offsetWidth) / 2
}
