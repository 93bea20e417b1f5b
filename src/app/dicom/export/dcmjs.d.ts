// The part of dcmjs that is used here; it brings no types of its own.
declare module 'dcmjs' {
  class DicomDict {
    constructor(meta: object)
    dict: object
    write(options?: object): ArrayBuffer
  }
  const dcmjs: {
    data: {
      DicomDict: typeof DicomDict
      DicomMetaDictionary: { denaturalizeDataset(dataset: object): object }
    }
    log: { setLevel?(level: string): void }
  }
  export default dcmjs
}
