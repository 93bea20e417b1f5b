// Every setting: environment variable, default, and what it does. What they may be is config.ts.

/** Every setting: environment variable, default, and what it does. The README lists the same (a test compares). */
export const SETTINGS = {
  PORT: ['7860', 'TCP port to listen on; 0 takes a free one'],
  HOST: ['127.0.0.1', 'address to listen on; anything but loopback needs ROENTGEN_OPEN=1'],
  ROENTGEN_OPEN: [
    '0',
    '1 allows a HOST that other machines can reach, although there are no users yet',
  ],
  ROENTGEN_ALLOWED_HOSTS: ['', 'further Host names that requests may carry, separated by commas'],
  ROENTGEN_TRUSTED_PROXIES: [
    '',
    'addresses or networks of proxies whose X-Forwarded-Host and X-Forwarded-For count, separated by commas',
  ],
  ROENTGEN_BASE_PATH: ['', 'path below which a proxy shows the pages, such as /roentgen'],
  ROENTGEN_MODELS: ['models', 'the model store'],
  ROENTGEN_DATA: ['data', 'database, uploads, private copies of active models'],
  ROENTGEN_DATASETS: ['Dataset', 'folder of labelled images'],
  ROENTGEN_DEMO: ['auto', 'auto gives an empty model store the demonstration models; off does not'],
  DATABASE_URL: ['', 'unset: SQLite in the data folder'],
  ROENTGEN_ENGINE: ['auto', 'auto, onnx or tensorflow'],
  ROENTGEN_TENSORFLOW: ['', "a folder with TensorFlow's library for TF.js, if not Roentgen's own"],
  ROENTGEN_WEIGHTS_URL: [
    '',
    'a mirror of published weights: their files under one address, if not where they are published',
  ],
  ROENTGEN_THREADS: ['0', 'threads of one inference; 0 takes all cores'],
  ROENTGEN_IMAGING_WORKERS: [
    '0',
    'processes that decode and draw images; 0 takes one for each core, four at most',
  ],
  ROENTGEN_TRAINING_THREADS: ['0', 'most threads of a training; 0 takes ROENTGEN_THREADS'],
  ROENTGEN_CPU_PAUSE_ABOVE: ['90', '°C of the processor at which a training pauses; 0 never does'],
  ROENTGEN_CPU_RESUME_BELOW: [
    '80',
    '°C of the processor below which it resumes; formerly ROENTGEN_CPU_GO_ON_BELOW',
  ],
  ROENTGEN_GPU_PAUSE_ABOVE: ['85', '°C of a graphics card at which it pauses; 0 never does'],
  ROENTGEN_GPU_RESUME_BELOW: [
    '75',
    '°C of a graphics card below which it resumes; formerly ROENTGEN_GPU_GO_ON_BELOW',
  ],
  ROENTGEN_DUTY_CYCLE: [
    '100',
    'percentage of the time that a training computes; it idles for the rest',
  ],
  ROENTGEN_SENSORS: ['/sys', 'where the system shows its temperature sensors'],
  ROENTGEN_HOST_MEMORY: [
    '4096',
    'MiB that all model hosts together may use before the least used is ended; no host may take more than this (512 at least)',
  ],
  ROENTGEN_QUEUE: ['64', 'requests that may wait for an inference before 503 is answered'],
  ROENTGEN_MAX_UPLOAD_MB: ['64', 'largest upload of an image, MiB'],
  ROENTGEN_UPLOADS_MB: [
    '4096',
    'MiB that all uploads in flight may take together before 503 is answered',
  ],
  ROENTGEN_UPLOAD_MEMORY_MB: [
    '128',
    'MiB of uploads that are held in memory together; others wait for it on the disk',
  ],
  ROENTGEN_MAX_PIXELS: ['100000000', 'most pixels of an image'],
  ROENTGEN_MAX_IMPORT_MB: ['2048', 'largest upload of a package, MiB'],
  ROENTGEN_KEEP_UPLOADS_HOURS: ['720', 'hours until a prediction and its image are forgotten'],
  ROENTGEN_BIN_DAYS: ['30', 'days that a deleted version can be put back before its files go'],
  ROENTGEN_KEEP_VERSIONS: [
    '0',
    'newest versions of a name to keep, older untagged ones go to the trash; 0 keeps all',
  ],
  ROENTGEN_REQUIRE_SIGNATURE: [
    '0',
    '1 takes packages only when a trusted key signed them, and no models from elsewhere',
  ],
  ROENTGEN_WARM_MINUTES: [
    '10',
    'minutes that the previous version stays loaded for an instant rollback',
  ],
  ROENTGEN_CHECKPOINT_SECONDS: [
    '120',
    'seconds between two checkpoints within an epoch of a training; 0 takes one after each batch',
  ],
  ROENTGEN_TRAINING_MEMORY: [
    '0',
    'MiB that a training may use before it is ended and a smaller batch offered; 0 sets no limit',
  ],
  ROENTGEN_URL: [
    '',
    'address under which people reach the pages, for links in notifications; unset: where it listens',
  ],
  ROENTGEN_SMTP_URL: ['', 'mail server for notifications, such as smtp://user:password@host:587'],
  ROENTGEN_MAIL_FROM: ['roentgen@localhost', 'sender of its mails'],
  ROENTGEN_NOTIFY_PRIVATE: ['0', '1 allows notifications to addresses in the own network'],
  ROENTGEN_DICOM_STOW: ['0', '1 accepts DICOM images at /dicomweb/studies (STOW-RS)'],
  ROENTGEN_DICOM_FOLDER: ['', 'folder that is watched for new DICOM images'],
  ROENTGEN_DICOM_ARCHIVE: [
    '',
    'DICOMweb address of an archive: new images are fetched from it, results are stored in it',
  ],
  ROENTGEN_DICOM_ARCHIVE_AUTH: ['', 'the header Authorization for the archive'],
  ROENTGEN_DICOM_POLL_SECONDS: ['30', 'seconds between two looks at archive or folder'],
  ROENTGEN_DICOM_DAYS: ['2', 'days back that studies of the archive are looked for'],
  ROENTGEN_LOG: ['warn', 'least level that is logged: debug, info, warn, error or silent'],
} as const satisfies Record<string, readonly [string, string]>

export type SettingName = keyof typeof SETTINGS
