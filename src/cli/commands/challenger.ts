// roentgen challenger set | end | show | rule: a second version beside the active one, and when it takes its place.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readConfig } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { conditionNamed } from '../../package/ids.ts'
import type { ChallengerEvidence } from '../../registry/challenger/challenger-evidence.ts'
import type { PromotionRule, RuleVerdict } from '../../registry/challenger/promotion-rule.ts'
import type { Condition } from '../../registry/conditions/conditions.ts'
import { withApi } from '../api.ts'
import { command, fraction, wholeNumber } from '../command.ts'
import { printFields, printJson, printLine, share } from '../output.ts'

interface Json {
  readonly json?: true
}

type Evidence = ChallengerEvidence & { readonly rule: (PromotionRule & RuleVerdict) | null }

export function addChallengerCommands(program: Command): void {
  const group = program
    .command('challenger')
    .description('A second version running next to the active one: set, end, show, or auto-promote')
    .helpCommand(false)

  command(group, 'set <version>', {
    does: 'Run a verified version silently (shadow), or serve a share of requests with it (split)',
    example: 'roentgen challenger set pneumonia/densenet121-standard@4 --mode shadow',
  })
    .addOption(new Option('--mode <mode>', 'mode').choices(['shadow', 'split']).default('shadow'))
    .option('--share <share>', 'with split: traffic share, above 0 to 1', aboveZero)
    .action(set)

  command(group, 'end <condition>', {
    does: 'End the challenge',
    example: 'roentgen challenger end pneumonia',
  }).action(end)

  command(group, 'show <condition>', {
    does: 'Show the challenger evaluation',
    example: 'roentgen challenger show pneumonia',
  }).action(show)

  command(group, 'rule <condition>', {
    does: 'Auto-promote challengers of a condition: after a number of cases, if non-inferior within a margin',
    example: 'roentgen challenger rule pneumonia --cases 200 --margin 0.03 --reason "board of May"',
  })
    .option('--cases <number>', 'minimum cases with reader feedback', wholeNumber(1, 1_000_000))
    .option('--margin <share>', 'non-inferiority margin in accuracy, 0 to 1', fraction)
    .option('--off', 'turn auto-promotion off')
    .option('--reason <text>', 'reason, stored in the history')
    .action(rule)
}

function aboveZero(text: string): number {
  const value = fraction(text)
  if (value > 0) return value
  throw new InvalidArgumentError('It must be above 0.')
}

async function set(
  version: string,
  { json, mode, share: part }: Json & { mode: string; share?: number },
): Promise<void> {
  const body = { version, mode, ...(part !== undefined && { share: part }) }
  await change(conditionNamed(version), body, json)
}

async function end(condition: string, { json }: Json): Promise<void> {
  await change(condition, { version: null }, json)
}

async function change(id: string, body: object, json: true | undefined): Promise<void> {
  const path = `${pathOf(id)}/challenger`
  const condition = await withApi(readConfig(), (api) => api.json<Condition>(path, { body }))
  if (json) return printJson(condition)
  const { challenger } = condition
  if (!challenger) return printLine(`${id} has no challenger.`)
  const how =
    challenger.mode === 'shadow' ? 'runs silently' : `serves ${share(challenger.share)} of requests`
  printLine(`${challenger.version} is the challenger: it ${how}.`)
}

async function show(id: string, { json }: Json): Promise<void> {
  const evidence = await withApi(readConfig(), (api) =>
    api.json<Evidence>(`${pathOf(id)}/challenger`),
  )
  if (json) return printJson(evidence)
  const { challenge, active, truth, rule: inForce } = evidence
  const { mcnemar } = truth
  printFields({
    challenger: `${challenge.version} (${challenge.mode}) since ${challenge.startedAt}`,
    active,
    'analysed by both': evidence.pairs,
    'same decision': share(evidence.agreement),
    kappa: share(evidence.kappa),
    'different predictions': evidence.disagreementCount,
    'with reader feedback': truth.n,
    'correct: active': truth.n > 0 ? truth.activeRight : null,
    'correct: challenger': truth.n > 0 ? truth.challengerRight : null,
    McNemar:
      truth.n > 0
        ? `p ${mcnemar.p.toFixed(4)} (only one correct: ${mcnemar.b} and ${mcnemar.c})`
        : null,
    rule: inForce ? inForce.detail : 'off',
  })
}

async function rule(
  id: string,
  options: Json & { cases?: number; margin?: number; off?: true; reason?: string },
): Promise<void> {
  const { json, cases, margin, off, reason } = options
  const isWhole = cases !== undefined && margin !== undefined
  if (reason === undefined || (off ? isWhole : !isWhole)) {
    throw new AppError('invalid', 'Give --cases, --margin and --reason, or --off and --reason.')
  }
  const body = { rule: off ? null : { minCases: cases, margin }, reason }
  const answer = await withApi(readConfig(), (api) =>
    api.json<{ rule: PromotionRule | null }>(`${pathOf(id)}/promotion-rule`, { body }),
  )
  if (json) return printJson(answer)
  printLine(
    answer.rule
      ? `From ${answer.rule.minCases} cases, within a margin of ${answer.rule.margin}, a challenger of ${id} is promoted.`
      : `Challengers of ${id} are promoted manually.`,
  )
}

function pathOf(condition: string): string {
  return `/api/v1/conditions/${encodeURIComponent(condition)}`
}
