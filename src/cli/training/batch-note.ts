// What stands beside the bar of a training: epoch, loss, accuracy, speed and the time that is left.

export interface BatchFigures {
  readonly epoch: number
  readonly epochs: number
  readonly loss: number
  readonly accuracy: number
  readonly imagesPerSecond: number
  readonly etaSeconds: number | null
}

export function batchNote(batch: BatchFigures): string {
  const { epoch, epochs, loss, accuracy, imagesPerSecond, etaSeconds } = batch
  const left = etaSeconds === null ? '' : `, ${timeLeft(etaSeconds)} left`
  return (
    `epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(3)}, ` +
    `${imagesPerSecond} images/s${left}`
  )
}

/** `1:04:09` or `4:09`. */
function timeLeft(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const two = (n: number): string => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
