// Light, dark or as the system says. Runs before the first paint, so that a page never flashes in the wrong colours.
;(() => {
  const NAMES = ['auto', 'dark', 'light']
  const root = document.documentElement

  function read() {
    try {
      const name = localStorage.getItem('theme')
      return NAMES.includes(name) ? name : 'auto'
    } catch {
      return 'auto'
    }
  }

  function apply(name) {
    if (name === 'auto') delete root.dataset.theme
    else root.dataset.theme = name
    const words = document.querySelector('[data-theme-name]')
    if (words) words.textContent = name
  }

  apply(read())
  document.addEventListener('DOMContentLoaded', () => apply(read()))
  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-theme-button]')) return
    const name = NAMES[(NAMES.indexOf(read()) + 1) % NAMES.length]
    try {
      localStorage.setItem('theme', name)
    } catch {
      // Private windows may refuse; the choice then lasts for this page only.
    }
    apply(name)
  })
})()
