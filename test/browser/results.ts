// Results to look at: an example image of the server read by two versions, through its own API.
import assert from 'node:assert/strict'

export interface ExampleResults {
  /** Ids of predictions of one image by two versions. */
  readonly left: string
  readonly right: string
  /** The version of the first one. */
  readonly version: string
}

/** `which` counts the examples of the condition, from the end when negative. @throws without examples or versions */
export async function exampleResults(
  url: string,
  { condition = 'pneumonia', which = -1 }: { condition?: string; which?: number } = {},
): Promise<ExampleResults> {
  const page = await (await fetch(`${url}/compare?condition=${condition}`)).text()
  const pattern = new RegExp(
    `name="example"\\s+value="([^"]+)"\\s+data-condition="${condition}"`,
    'g',
  )
  const example = [...page.matchAll(pattern)].at(which)?.[1]
  assert.ok(example, `there is no example for ${condition}`)
  const image = await (await fetch(`${url}/examples/${example}`)).blob()
  const list = await fetch(`${url}/api/v1/versions?condition=${condition}`)
  const { items } = (await list.json()) as { items: { id: string }[] }
  const [a = '', b = ''] = items.map((one) => one.id).sort()
  const form = new FormData()
  for (const [name, value] of Object.entries({ condition, a, b })) form.set(name, value)
  form.set('image', image, 'example')
  const answer = await fetch(`${url}/api/v1/compare`, { method: 'POST', body: form })
  assert.equal(answer.status, 200, await answer.clone().text())
  const compared = (await answer.json()) as { a: { id: string }; b: { id: string } }
  return { left: compared.a.id, right: compared.b.id, version: a }
}
