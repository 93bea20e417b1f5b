// The tables of challengers: one row a challenge, one row an image that both versions have read. Numbers and labels only:
// they stay when the image and its prediction are forgotten.
export const CHALLENGERS = [
  `create table challenges (
    seq integer primary key autoincrement,
    id text not null unique,
    condition text not null references conditions (id),
    version text not null,
    sha256 text not null,
    mode text not null check (mode in ('shadow', 'split')),
    share real check ((mode = 'split') = (share is not null)),
    started_at text not null,
    ended_at text,
    by text not null,
    via text not null,
    check (share is null or (share > 0 and share <= 1))
  ) strict`,
  `create unique index challenges_running on challenges (condition) where ended_at is null`,
  `create index challenges_condition on challenges (condition, seq)`,
  `create table challenger_pairs (
    seq integer primary key autoincrement,
    challenge text not null references challenges (id),
    prediction text not null,
    image text not null,
    at text not null,
    active_version text not null,
    active_label text not null,
    challenger_label text not null,
    label text not null,
    active_p real not null,
    challenger_p real not null,
    classes text not null check (json_valid(classes)),
    truth text
  ) strict`,
  `create index challenger_pairs_of on challenger_pairs (challenge, active_version, seq)`,
  `create index challenger_pairs_prediction on challenger_pairs (prediction)`,
]
