// Giving an image: drop it anywhere, paste it, see it before it is sent, and watch it go. htmx sends the form; this
// only lends it a fetch that reports progress. Without this script the plain form does the same in one step.

const form = document.querySelector('form[data-main-form]')
const input = form?.querySelector('input[type="file"]')
const preview = form?.querySelector('[data-drop-preview]')
const title = form?.querySelector('[data-drop-title]')

/** Puts a dropped or pasted file where a chosen one would be. */
function take(file) {
  if (!input || !file) return
  const transfer = new DataTransfer()
  transfer.items.add(file)
  input.files = transfer.files
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

/** On the empty stage when it is there, else small beside the form. Browsers show no TIFF; then the name must do. */
function showPreview() {
  const file = input.files?.[0]
  const stage = document.querySelector('[data-stage-preview]')
  const image = stage ?? preview
  for (const one of [stage, preview]) {
    if (one?.src) URL.revokeObjectURL(one.src)
    if (one) one.hidden = true
  }
  title.textContent = file ? file.name : 'Image'
  if (stage) {
    const words = document.querySelector('[data-stage-words]')
    words.textContent = file ? file.name : 'Your image will appear here'
  }
  if (!file) return
  image.onload = () => {
    image.hidden = false
  }
  image.src = URL.createObjectURL(file)
}

if (form && input) {
  input.addEventListener('change', showPreview)

  document.addEventListener('paste', (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0]
    if (!file) return
    event.preventDefault()
    take(file)
  })

  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    document.body.classList.add('dragging')
  })
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) document.body.classList.remove('dragging')
  })
  document.addEventListener('drop', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    document.body.classList.remove('dragging')
    take(event.dataTransfer.files[0])
  })
}

const progress = document.querySelector('[data-progress]')
const bar = progress?.querySelector('[data-progress-bar]')
const words = progress?.querySelector('[data-progress-words]')

function say(text, percent) {
  if (!progress) return
  progress.hidden = false
  words.textContent = text
  bar.hidden = percent === null
  if (percent !== null) bar.value = percent
}

/** `fetch` for one upload, by XMLHttpRequest, which alone reports how much has been sent. */
function fetchWithProgress(url, { method, headers, body, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(method, url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.addEventListener('progress', ({ lengthComputable, loaded, total }) => {
      if (!lengthComputable || total === 0) return
      const percent = Math.round((loaded / total) * 100)
      if (percent < 100) say(`Uploading, ${percent}%`, percent)
      else say('Analysing', null)
    })
    request.addEventListener('load', () => {
      const lines = request
        .getAllResponseHeaders()
        .trim()
        .split(/[\r\n]+/)
      const pairs = lines.filter(Boolean).map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1).trim()]
      })
      resolve(new Response(request.responseText, { status: request.status, headers: pairs }))
    })
    request.addEventListener('error', () => reject(new TypeError('The server cannot be reached.')))
    request.addEventListener('abort', () => reject(new DOMException('Aborted', 'AbortError')))
    signal?.addEventListener('abort', () => request.abort())
    request.send(body)
  })
}

document.addEventListener('htmx:config:request', ({ detail }) => {
  const { ctx } = detail
  if (!ctx.sourceElement.matches('form[data-upload]')) return
  ctx.fetch = fetchWithProgress
  say('Uploading', 0)
})

document.addEventListener('htmx:after:swap', ({ detail }) => {
  if (!detail.ctx?.sourceElement?.matches?.('form[data-upload]')) return
  const decision = document.querySelector('#result .decision-label')?.textContent.trim()
  const verdict = document.querySelector('#result .verdict')?.textContent.trim()
  const problem = document.querySelector('#result .notice-title')?.textContent.trim()
  say(verdict ?? (decision ? `Decision: ${decision}` : (problem ?? 'Done')), null)
})

document.addEventListener('htmx:error', ({ detail }) => {
  if (!detail.ctx?.sourceElement?.matches?.('form[data-upload]')) return
  say('No response from the server. Is it running? Your image is still selected; try again.', null)
})
