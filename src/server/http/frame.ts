// What every page is framed with.
import type { Context } from 'hono'
import type { Frame } from '../../../views/shared/layout.ts'
import { PRODUCT_VERSION } from '../../app/product.ts'
import type { AppEnv } from './app-env.ts'

export function frameOf(c: Context<AppEnv>): Frame {
  return { path: c.req.path, product: PRODUCT_VERSION, notice: c.var.notice }
}
