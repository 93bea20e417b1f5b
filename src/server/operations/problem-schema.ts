// The problem document that every refusal is answered with (RFC 9457); further members say what a program may need.
import { z } from 'zod'

export const ProblemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ examples: ['invalid'] }),
    field: z.string().optional().describe('the field, parameter or part of the form that is wrong'),
  })
  .meta({ id: 'Problem' })
