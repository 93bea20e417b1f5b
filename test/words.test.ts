// The words of docs/glossary.md: phrases that read as translated, or that name a thing a second way, do not come back.
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import test from 'node:test'

interface Banned {
  readonly pattern: RegExp
  readonly instead: string
  /** A sentence that must be caught, and one that must not. */
  readonly bad: string
  readonly good: string
}

const BANNED: readonly Banned[] = [
  {
    pattern: /\bnot said\b/i,
    instead: 'predicted / actual',
    bad: 'said / not said',
    good: 'He said that it was not.',
  },
  {
    pattern: /\bfalls apart on\b/i,
    instead: 'performance is much worse',
    bad: 'It falls apart on these images',
    good: 'falls-apart.ts',
  },
  {
    pattern: /\bthe newest so many\b/i,
    instead: 'last N',
    bad: 'The newest so many',
    good: 'the newest version',
  },
  {
    pattern: /\bcount as little as\b/i,
    instead: 'disable class weighting',
    bad: 'Let rare classes count as little as they are rare',
    good: 'count as negative',
  },
  {
    pattern: /\bsparing the machine\b/i,
    instead: 'resource limits',
    bad: 'Time lost to sparing the machine',
    good: 'sparing use of colour',
  },
  {
    pattern: /\basked of the archive\b/i,
    instead: 'queried from the archive',
    bad: 'asked of the archive',
    good: 'the archive was queried',
  },
  {
    pattern: /\blet it challenge\b/i,
    instead: 'start challenger',
    bad: 'Check and let it challenge',
    good: 'Start challenger',
  },
  {
    pattern: /\bit rests the others\b/i,
    instead: 'duty cycle: share of time computing',
    bad: 'it rests the others',
    good: 'the rest of the others',
  },
  {
    pattern: /\bgoes on behind a\b/i,
    instead: 'continues in the background',
    bad: 'goes on behind a 202',
    good: 'the route is behind a proxy',
  },
  {
    pattern: /\bRoentgen made a mistake\b/i,
    instead: 'an internal error occurred',
    bad: 'Roentgen made a mistake',
    good: 'An internal error occurred',
  },
  {
    pattern: /\banswers since\b/i,
    instead: 'active since',
    bad: 'Answers since',
    good: 'Active since',
  },
  {
    pattern: /\bread (?:many|more) images\b/i,
    instead: 'analyse a batch',
    bad: 'Read many images',
    good: 'Analyse many images',
  },
  {
    pattern: /\bA person decides\b/,
    instead: 'clinical judgement required',
    bad: 'A person decides.',
    good: 'a person has decided',
  },
  {
    pattern: /\bthe film appears\b/i,
    instead: 'your image will appear',
    bad: 'The film appears here',
    good: 'Your image will appear here',
  },
  {
    pattern: /\bmay mean nothing\b/i,
    instead: 'do not rely on this result',
    bad: 'this answer may mean nothing',
    good: 'a null may mean that nothing was measured',
  },
  {
    pattern: /\bthe eye only\b/i,
    instead: 'display only',
    bad: 'For the eye only',
    good: 'Display only',
  },
  {
    pattern: /\bdo not read a place into\b/i,
    instead: 'do not use it to localise',
    bad: 'do not read a place into the map',
    good: 'do not read a file into memory',
  },
  {
    pattern: /\breader[’']s word\b/i,
    instead: 'reader feedback',
    bad: 'Images with a reader’s word',
    good: 'Images with reader feedback',
  },
  {
    pattern: /\blearnt? the training images by heart\b/i,
    instead: 'overfitting',
    bad: 'It begins to learn the training images by heart',
    good: 'Overfitting',
  },
  {
    pattern: /\bat most left\b|\bleft at most\b/i,
    instead: 'about … left',
    bad: '1 min left at most',
    good: 'at most two are left',
  },
  {
    pattern: /\bdrawn by lot\b/i,
    instead: 'random order',
    bad: 'the order was drawn by lot',
    good: 'drawn at random',
  },
  {
    pattern: /\bhalf of them above\b/i,
    instead: 'median',
    bad: 'half of them above 320',
    good: 'median 320 px',
  },
  {
    pattern: /\b(?:Paused|Cancelled|Stopped|Excluded) by hand\b/,
    instead: 'by user',
    bad: 'Cancelled by hand.',
    good: 'an interval worked out by hand',
  },
  {
    pattern: /\bspeaks strongly\b/i,
    instead: 'stands out',
    bad: 'No region speaks strongly',
    good: 'No region stands out',
  },
  {
    pattern: /\bof good repute\b|\bfor what it knows\b/i,
    instead: 'well-established; for its accuracy',
    bad: 'A small network of good repute',
    good: 'Well-established',
  },
  {
    pattern: /\bcannot be told yet\b/i,
    instead: 'not enough data',
    bad: 'cannot be told yet',
    good: 'not enough data',
  },
  {
    pattern: /\bNobody (?:is told|has voted) yet\b/,
    instead: 'No … yet',
    bad: 'Nobody is told yet',
    good: 'No notifications yet',
  },
  {
    pattern: /\bNothing (?:was (?:read|trained|compared)|has answered) yet\b/,
    instead: 'No … yet',
    bad: 'Nothing was read yet',
    good: 'No predictions yet',
  },
  {
    pattern: /\bThrow it away\b|\bPoint it there\b|\bPut it back\b|\bTake it away\b/,
    instead: 'Discard, Set alias, Restore, Export',
    bad: 'Throw it away',
    good: 'Discard',
  },
  {
    pattern: /\b(?:move[sd]? (?:\S+ )?to|back from) the bin\b/i,
    instead: 'the trash',
    bad: 'Move to the bin',
    good: 'values of the bin of a histogram',
  },
  {
    pattern: /\d %(?!\d)(?=[^\w%]|$)(?! [\d(])/,
    instead: '47.0%, without a space',
    bad: 'accuracy 47.0 %',
    good: 'accuracy 47.0%, 7 % 3',
  },
]

/** What people read: pages, messages, command line, records. Vendored files and decisions (history) are left out. */
const SOURCES = [
  ...['views/**/*.ts', 'src/**/*.ts', 'public/*.js', 'bin/*', 'scripts/*.{ts,mjs}'],
  ...[
    'docs/guide/*.md',
    'docs/reference/*.md',
    'docs/architecture.md',
    'README.md',
    'CHANGELOG.md',
  ],
]

function found(
  text: string,
): { readonly line: number; readonly words: string; readonly instead: string }[] {
  return text.split('\n').flatMap((words, at) =>
    BANNED.filter(({ pattern }) => pattern.test(words)).map(({ instead }) => ({
      line: at + 1,
      words: words.trim(),
      instead,
    })),
  )
}

test('each banned phrase is caught where it stands, and a sentence that only resembles it is not', () => {
  for (const { pattern, bad, good } of BANNED) {
    assert.match(bad, pattern)
    assert.doesNotMatch(good, pattern)
  }
})

test('pages, messages, scripts and the command line have no banned phrase, in strings and comments alike', async () => {
  const hits: string[] = []
  let files = 0
  for await (const file of glob(SOURCES)) {
    files++
    for (const { line, words, instead } of found(await readFile(file, 'utf8')))
      hits.push(`${file}:${line}: ${words} (say: ${instead})`)
  }
  assert.ok(files > 500, `${files} files were looked at`)
  assert.deepEqual(hits, [])
})

test('a banned phrase on a page would be found, with its line', () => {
  const [hit, ...others] = found('<h2>Active version</h2>\n<dt>Answers since</dt>')
  assert.deepEqual([hit?.line, hit?.instead, others.length], [2, 'active since', 0])
})
