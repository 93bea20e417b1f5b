// Whether a zip is a PyTorch file, by the names in it.

/** The pickle that every file of torch.save has, in one folder or at the top. */
export function pickleOf(names: Iterable<string>): string | undefined {
  return [...names].find((name) => /^([^/]+\/)?data\.pkl$/.test(name))
}

export function isTorchZip(names: readonly string[]): boolean {
  return pickleOf(names) !== undefined
}
