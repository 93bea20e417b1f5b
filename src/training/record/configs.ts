// configs/train.json and configs/optimizer.json: how a model was trained; configs/preprocessing.json: what is done to an image.
import { summariseLayers } from './machine.ts'
import { json, type PackageContext, writeFiles } from './package-context.ts'

export async function writeConfigs(c: PackageContext): Promise<void> {
  const { hyperparameters: h, trained } = c
  await writeFiles(c.dir, {
    'configs/preprocessing.json': json(c.index.preprocessing),
    'configs/train.json': json(trainConfig(c)),
    'configs/optimizer.json': json({
      name: h.optimizer,
      learningRate: h.learningRate,
      ...(h.optimizer === 'sgd'
        ? { momentum: h.momentum }
        : { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }),
      weightDecay: h.weightDecay,
      schedule: h.schedule,
      steps: trained.steps * trained.history.length,
    }),
  })
}

function trainConfig({ job, architecture, hyperparameters, model, index, ...c }: PackageContext) {
  return {
    schema: 1,
    preset: job.preset,
    architecture: architecture.name,
    condition: job.condition.id,
    dataset: { name: job.datasetName, fingerprint: index.fingerprint },
    hyperparameters,
    initialWeights: job.initFrom
      ? `those of ${job.initFrom.version}`
      : 'random (He), from the seed',
    resumed: c.trained.resumed,
    frozenPart: c.trained.frozen,
    loss: index.kind === 'single-label' ? 'softmax cross-entropy' : 'sigmoid cross-entropy',
    monitor: 'validation loss, lowest; its weights are restored at the end',
    engine: { name: c.engine, threads: job.threads },
    layers: summariseLayers(model),
  }
}
