// Weights that Keras and PyTorch publish: where each file lies and how it is known again. Addresses and MD5 sums as in
// keras.applications 3.15; PyTorch puts the first eight digits of the SHA-256 into the name (torchvision 0.28).
import type { CheckSums } from './check-sums.ts'

export interface PublishedFile {
  /** What `roentgen weights fetch` calls it; undefined: it is only known again when somebody brings it. */
  readonly key?: string
  readonly title: string
  readonly architecture: string
  readonly fileName: string
  readonly from: string
  readonly md5?: string
  /** First digits. */
  readonly sha256?: string
  /** What the file must not exceed. */
  readonly maxMegabytes: number
}

const KERAS = 'https://storage.googleapis.com/tensorflow/keras-applications/'
const KERAS_EFFICIENTNET = 'https://storage.googleapis.com/keras-applications/'
const PYTORCH = 'https://download.pytorch.org/models/'

interface KerasPair {
  readonly architecture: string
  readonly title: string
  readonly from: string
  /** File names and MD5 sums. */
  readonly notop: readonly [name: string, md5: string]
  readonly top: readonly [name: string, md5: string]
  readonly maxMegabytes: readonly [notop: number, top: number]
}

const PAIRS: readonly KerasPair[] = [
  {
    architecture: 'densenet121',
    title: 'DenseNet121',
    from: `${KERAS}densenet/`,
    notop: [
      'densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5',
      '30ee3e1110167f948a6b9946edeeb738',
    ],
    top: ['densenet121_weights_tf_dim_ordering_tf_kernels.h5', '9d60b8095a5708f2dcce2bca79d332c7'],
    maxMegabytes: [40, 45],
  },
  {
    architecture: 'resnet50',
    title: 'ResNet50',
    from: `${KERAS}resnet/`,
    notop: [
      'resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5',
      '4d473c1dd8becc155b73f8504c6f6626',
    ],
    top: ['resnet50_weights_tf_dim_ordering_tf_kernels.h5', '2cb95161c43110f7111970584f804107'],
    maxMegabytes: [110, 120],
  },
  {
    architecture: 'vgg16',
    title: 'VGG16',
    from: `${KERAS}vgg16/`,
    notop: [
      'vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5',
      '6d6bbae143d832006294945121d1f1fc',
    ],
    top: ['vgg16_weights_tf_dim_ordering_tf_kernels.h5', '64373286793e3c8b2b4e3219cbf3544b'],
    maxMegabytes: [70, 600],
  },
  {
    architecture: 'efficientnet_b0',
    title: 'EfficientNet B0',
    from: KERAS_EFFICIENTNET,
    notop: ['efficientnetb0_notop.h5', '50bc09e76180e00e4465e1a485ddc09d'],
    top: ['efficientnetb0.h5', '902e53a9f72be733fc0bcb005b3ebbac'],
    maxMegabytes: [25, 30],
  },
  {
    architecture: 'efficientnet_b3',
    title: 'EfficientNet B3',
    from: KERAS_EFFICIENTNET,
    notop: ['efficientnetb3_notop.h5', 'af6d107764bb5b1abb91932881670226'],
    top: ['efficientnetb3.h5', 'ffd1fdc53d0ce67064dc6a9c7960ede0'],
    maxMegabytes: [60, 65],
  },
]

const MOBILENET_WIDTHS = ['0.35', '0.5', '0.75', '1.0', '1.3', '1.4']

/** Keras publishes no check sums of these: they are taken as they come over https. */
function mobileNet(width: string): PublishedFile {
  const hundredths = String(Math.round(Number(width) * 100)).padStart(3, '0')
  const architecture = `mobilenet_v2_${hundredths}`
  return {
    key: architecture,
    title: `MobileNetV2, width ${width}, ImageNet, Keras`,
    architecture,
    from: `${KERAS}mobilenet_v2/`,
    fileName: `mobilenet_v2_weights_tf_dim_ordering_tf_kernels_${width}_224_no_top.h5`,
    maxMegabytes: 40,
  }
}

export const PUBLISHED: readonly PublishedFile[] = [
  ...PAIRS.flatMap(({ architecture, title, from, notop, top, maxMegabytes }) => [
    {
      key: architecture,
      title: `${title}, ImageNet, Keras, without head`,
      ...{ architecture, from, fileName: notop[0], md5: notop[1], maxMegabytes: maxMegabytes[0] },
    },
    {
      title: `${title}, ImageNet, Keras`,
      ...{ architecture, from, fileName: top[0], md5: top[1], maxMegabytes: maxMegabytes[1] },
    },
  ]),
  ...MOBILENET_WIDTHS.map(mobileNet),
  {
    key: 'vit_b_16',
    title: 'ViT-B/16, ImageNet, torchvision',
    architecture: 'vit_b_16',
    from: PYTORCH,
    fileName: 'vit_b_16-c867db91.pth',
    sha256: 'c867db91',
    maxMegabytes: 360,
  },
  {
    key: 'resnet50-torchvision',
    title: 'ResNet50 version 1.5, ImageNet, torchvision (IMAGENET1K_V2)',
    architecture: 'resnet50',
    from: PYTORCH,
    fileName: 'resnet50-11ad3fa6.pth',
    sha256: '11ad3fa6',
    maxMegabytes: 110,
  },
  {
    key: 'efficientnet_b0-torchvision',
    title: 'EfficientNet B0, ImageNet, torchvision',
    architecture: 'efficientnet_b0',
    from: PYTORCH,
    fileName: 'efficientnet_b0_rwightman-7f5810bc.pth',
    sha256: '7f5810bc',
    maxMegabytes: 30,
  },
  {
    key: 'efficientnet_b3-torchvision',
    title: 'EfficientNet B3, ImageNet, torchvision',
    architecture: 'efficientnet_b3',
    from: PYTORCH,
    fileName: 'efficientnet_b3_rwightman-b3899882.pth',
    sha256: 'b3899882',
    maxMegabytes: 60,
  },
]

/** What can be fetched under a name. */
export function fetchable(
  files: readonly PublishedFile[] = PUBLISHED,
): readonly (PublishedFile & { readonly key: string })[] {
  return files.filter((one): one is PublishedFile & { key: string } => one.key !== undefined)
}

/** The published file that has these check sums. */
export function findPublished(sums: CheckSums): PublishedFile | undefined {
  return PUBLISHED.find((file) => isKnown(file) && matches(file, sums))
}

/** Whether the publisher says how the file can be checked. */
export function isKnown({ md5, sha256 }: PublishedFile): boolean {
  return md5 !== undefined || sha256 !== undefined
}

/** Whether bytes with these check sums are that file; true where the publisher gives none. */
export function matches(file: PublishedFile, sums: CheckSums): boolean {
  return (
    (file.md5 === undefined || file.md5 === sums.md5) &&
    (file.sha256 === undefined || sums.sha256.startsWith(file.sha256))
  )
}
