// Where this room writes what an operator may want to read; pino fits as it is.
export interface RuntimeLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
