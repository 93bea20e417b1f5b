// What makes lists of versions quick: an index for each order, one that holds all that filters ask, and the words.
const SORTED = [
  'registered_at',
  'accuracy',
  'balanced_accuracy',
  'auc',
  'sensitivity',
  'specificity',
  'f1',
  'size_bytes',
  'name',
  'architecture',
]

export const SEARCH = [
  ...SORTED.map((column) => `create index versions_by_${column} on versions (${column})`),
  `create index versions_by_condition on versions (condition)`,
  `create index versions_by_status on versions (status)`,
  `create index versions_demonstration on versions (condition, name, n) where demonstration = 1`,
  // Counting needs no row then: rows are large, since each holds its manifest.
  `create index versions_facets
    on versions (condition, architecture collate nocase, status, accuracy, created_at)`,
  `create virtual table version_search using fts5 (
    search_text, content = 'versions', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
  )`,
  `create trigger version_search_insert after insert on versions begin
    insert into version_search (rowid, search_text) values (new.id, new.search_text);
  end`,
  `create trigger version_search_update after update of search_text on versions begin
    insert into version_search (version_search, rowid, search_text)
      values ('delete', old.id, old.search_text);
    insert into version_search (rowid, search_text) values (new.id, new.search_text);
  end`,
  `create trigger version_search_delete after delete on versions begin
    insert into version_search (version_search, rowid, search_text)
      values ('delete', old.id, old.search_text);
  end`,
  `insert into version_search (version_search) values ('rebuild')`,
]
