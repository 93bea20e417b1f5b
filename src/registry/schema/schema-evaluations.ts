// The table of evaluations: what a version did on images from elsewhere. By digest, so that a package that comes back under
// another number keeps what is known about it.
export const EVALUATIONS = [
  `create table evaluations (
    seq integer primary key autoincrement,
    id text not null unique,
    version text not null,
    sha256 text not null check (length(sha256) = 64),
    dataset text not null,
    split text not null,
    test_set text not null,
    metrics text not null check (json_valid(metrics)),
    is_evidence integer not null check (is_evidence in (0, 1)),
    report text not null check (json_valid(report)),
    at text not null,
    by text not null,
    via text not null
  ) strict`,
  `create index evaluations_digest on evaluations (sha256, seq)`,
]
