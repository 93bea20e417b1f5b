// What a look at a dataset's labels found: those that a model which never saw the image would have given otherwise.

export interface DoubtfulLabel {
  /** Below the dataset. */
  readonly file: string
  readonly split: string
  readonly given: string
  readonly suggested: string
  /** 0 to 1, of models that did not see the image. */
  readonly givenProbability: number
  readonly suggestedProbability: number
  /** As sure as the models usually are of images that bear the suggested label. */
  readonly sure: boolean
}

export interface LabelCheck {
  /** Whose features were used. */
  readonly version: string
  /** Of the preparation that was looked at. */
  readonly fingerprint: string
  readonly images: number
  readonly folds: number
  /** Share of labels that the regression on the features of other folds gives too. */
  readonly accuracy: number
  /** Of all doubtful labels; the list is cut after some hundred. */
  readonly count: number
  readonly sure: number
  readonly labels: readonly DoubtfulLabel[]
}
