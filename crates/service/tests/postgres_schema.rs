//! The migrations of both dialects lead to one schema, and the log is as final in PostgreSQL as in SQLite.

use aispace_test_postgres::{NOT_DURABLE, PostgresServer};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::{Path, PathBuf};

/// What a table is, in words that mean the same in both dialects.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, type, nullability and default, in their order.
    columns: Vec<String>,
    primary_key: Vec<String>,
    foreign_keys: BTreeSet<String>,
    indexes: BTreeSet<String>,
    checks: Vec<String>,
}

type Schema = BTreeMap<String, Table>;

/// The migrations of a dialect, in order, by file name.
fn migrations(dialect: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files: BTreeSet<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "sql")).collect();
    let named = |path: PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("a migration"))
    };
    files.into_iter().map(named).collect()
}

async fn sqlite() -> SqliteConnection {
    let mut db = SqliteConnection::connect("sqlite::memory:").await.expect("opens");
    for (_, text) in migrations("") {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut db).await.expect("migrates");
    }
    db
}

async fn postgres(server: &PostgresServer) -> PgConnection {
    let mut db = PgConnection::connect(&server.fresh_database().expect("a database")).await.expect("connects");
    for (_, text) in migrations("postgres") {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut db).await.expect("migrates");
    }
    db
}

/// Rows of texts.
macro_rules! texts {
    ($db:expr, $sql:expr) => {{
        let rows = sqlx::query(AssertSqlSafe($sql)).fetch_all(&mut $db).await.expect("described");
        let columns = |row: &_| (0..Row::len(row)).map(|at| Row::get::<Option<String>, _>(row, at).unwrap_or_default()).collect();
        rows.iter().map(columns).collect::<Vec<Vec<String>>>()
    }};
}

async fn sqlite_schema(db: &mut SqliteConnection) -> Schema {
    let mut schema = Schema::new();
    for row in texts!(*db, "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'".to_owned()) {
        let (name, table) = (&row[0], schema.entry(row[0].clone()).or_default());
        table.checks = checks(&row[1]);
        // `INTEGER PRIMARY KEY` says of itself that it may be null, and is not.
        let columns = format!(
            "SELECT lower(name || ' ' || type || iif(\"notnull\" OR pk, ' not null', '') || coalesce(' default ' || dflt_value, ''))
             FROM pragma_table_info('{name}') ORDER BY cid"
        );
        table.columns = texts!(*db, columns).concat();
        let key = format!("SELECT name FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY pk");
        table.primary_key = texts!(*db, key).concat();
        let foreign = format!(
            "SELECT group_concat(\"from\", ','), \"table\", group_concat(\"to\", ',')
             FROM (SELECT * FROM pragma_foreign_key_list('{name}') ORDER BY id, seq) GROUP BY id"
        );
        table.foreign_keys = texts!(*db, foreign).iter().map(|f| format!("({}) -> {} ({})", f[0], f[1], f[2])).collect();
        let indexes = format!(
            "SELECT l.name, iif(l.\"unique\", 'unique', ''), (SELECT group_concat(name, ',') FROM pragma_index_info(l.name)),
                    (SELECT substr(sql, instr(sql, ' WHERE ') + 7) FROM sqlite_schema WHERE name = l.name AND instr(sql, ' WHERE ') > 0)
             FROM pragma_index_list('{name}') l WHERE l.origin = 'c'"
        );
        table.indexes = texts!(*db, indexes).iter().map(|row| index(row)).collect();
    }
    schema
}

async fn postgres_schema(db: &mut PgConnection) -> Schema {
    let mut schema = Schema::new();
    let columns = "SELECT table_name::TEXT, column_name || ' ' ||
            CASE data_type WHEN 'bigint' THEN 'integer' WHEN 'bytea' THEN 'blob' ELSE data_type END ||
            CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END ||
            coalesce(' default ' || replace(regexp_replace(column_default, '^''(-?[0-9]+)''::bigint$', '\\1'), '::text', ''), '')
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";
    for row in texts!(*db, columns.to_owned()) {
        schema.entry(row[0].clone()).or_default().columns.push(row[1].clone());
    }
    let names = |column: &str, of: &str| {
        format!(
            "(SELECT string_agg(a.attname, ',' ORDER BY k.at)
              FROM unnest({column}) WITH ORDINALITY AS k (number, at) JOIN pg_attribute a ON a.attrelid = {of} AND a.attnum = k.number)"
        )
    };
    let indexes = format!(
        "SELECT t.relname::TEXT, c.relname::TEXT, CASE WHEN i.indisunique THEN 'unique' ELSE '' END, {},
                pg_get_expr(i.indpred, i.indrelid), i.indisprimary::TEXT
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
         WHERE t.relnamespace = 'public'::REGNAMESPACE",
        names("i.indkey::INT2[]", "i.indrelid")
    );
    for row in texts!(*db, indexes) {
        let table = schema.get_mut(&row[0]).expect("a table");
        if row[5] == "true" {
            table.primary_key = row[3].split(',').map(str::to_owned).collect();
        } else {
            table.indexes.insert(index(&row[1..]));
        }
    }
    let foreign = format!(
        "SELECT c.conrelid::REGCLASS::TEXT, {}, c.confrelid::REGCLASS::TEXT, {} FROM pg_constraint c WHERE c.contype = 'f'",
        names("c.conkey", "c.conrelid"),
        names("c.confkey", "c.confrelid")
    );
    for row in texts!(*db, foreign) {
        schema.get_mut(&row[0]).expect("a table").foreign_keys.insert(format!("({}) -> {} ({})", row[1], row[2], row[3]));
    }
    let stored = "SELECT conrelid::REGCLASS::TEXT FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0";
    let stored = texts!(*db, stored.to_owned()).concat();
    for (name, table) in &mut schema {
        table.checks = written_checks(name);
        assert_eq!(stored.iter().filter(|of| *of == name).count(), table.checks.len(), "{name}: a check was not found in the text");
    }
    schema
}

/// Name, uniqueness, columns and condition of an index. PostgreSQL writes a condition with brackets and types of its own.
fn index(row: &[String]) -> String {
    let condition: String = row[3].replace("::text", "").chars().filter(|c| !"()".contains(*c)).collect();
    format!("{} {} ({}) where {}", row[1], row[0], row[2], normal(&condition))
}

/// The checks of a table as PostgreSQL's migrations write them: the database itself only has them in a form of its own.
fn written_checks(table: &str) -> Vec<String> {
    let code = |text: String| text.lines().filter(|line| !line.trim_start().starts_with("--")).map(|line| format!("{line}\n")).collect();
    let texts: Vec<String> = migrations("postgres").into_values().map(code).collect();
    let of_table = |statement: &&str| {
        let words: Vec<&str> = statement.split_whitespace().take(3).collect();
        matches!(words[..], ["CREATE" | "ALTER", "TABLE", name] if name == table)
    };
    let statements: Vec<&str> = texts.iter().flat_map(|text| text.split(';')).filter(of_table).collect();
    // A table that is made anew has what it says then.
    let made = statements.iter().rposition(|text| text.trim_start().starts_with("CREATE")).unwrap_or_default();
    statements[made..].iter().flat_map(|text| checks(text)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What stands in the brackets of each CHECK, sorted.
fn checks(sql: &str) -> Vec<String> {
    let bodies = sql.split("CHECK (").skip(1).map(|rest| {
        let mut depth = 1;
        let ends = |c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        };
        let end = rest.find(ends).expect("a closing bracket");
        normal(&rest[..end]).replace("octet_length", "length")
    });
    bodies.collect::<BTreeSet<_>>().into_iter().collect()
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn both_databases_have_one_schema() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("a server");
    let (mut sqlite, mut postgres) = (sqlite().await, postgres(&server).await);
    let (ours, mut theirs) = (sqlite_schema(&mut sqlite).await, postgres_schema(&mut postgres).await);
    assert!(theirs.remove("schema_version").is_some(), "PostgreSQL has no user_version");
    let names = |schema: &Schema| schema.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs));
    for (name, table) in &ours {
        let other = &theirs[name];
        same(name, "columns", &table.columns, &other.columns);
        same(name, "primary key", &table.primary_key, &other.primary_key);
        same(name, "foreign keys", &table.foreign_keys, &other.foreign_keys);
        same(name, "indexes", &table.indexes, &other.indexes);
        same(name, "checks", &table.checks, &other.checks);
    }
    let entries = &ours["entries"];
    assert!(entries.columns.len() == 8 && entries.primary_key.len() == 2 && entries.checks.len() == 3, "{entries:?}");
    assert!(ours["debts"].foreign_keys.len() == 2 && ours["batches"].indexes.len() == 2, "{ours:#?}");
}

fn same<T: PartialEq + Debug>(table: &str, what: &str, sqlite: &T, postgres: &T) {
    assert_eq!(sqlite, postgres, "{what} of {table}: SQLite's, PostgreSQL's");
}

#[tokio::test]
async fn both_databases_are_of_one_version_and_later_migrations_exist_for_both() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("a server");
    let ours: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut sqlite().await).await.expect("a version");
    let theirs: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM schema_version").fetch_all(&mut postgres(&server).await).await.expect("one");
    assert_eq!(theirs, [ours]);
    let (sqlite, postgres) = (migrations(""), migrations("postgres"));
    assert_eq!(i64::try_from(sqlite.len()).expect("few"), ours);
    // The first of PostgreSQL holds the first three of SQLite.
    assert!(sqlite.keys().skip(3).eq(postgres.keys().skip(1)), "{:?} {:?}", sqlite.keys(), postgres.keys());
}

#[tokio::test]
async fn the_log_can_only_grow() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("a server");
    let mut db = postgres(&server).await;
    let hash = "decode(repeat('00', 32), 'hex')";
    let entry = |at: u32| format!("INSERT INTO entries VALUES ('ac', {at}, 0, '', {hash}, {hash})");
    let account = format!("INSERT INTO accounts (account_id, opened_ms, entry_count, last_hash) VALUES ('ac', 0, 0, {hash})");
    for sql in [account, entry(1), entry(2)] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.expect("stored");
    }
    let refused = [
        ("UPDATE entries SET at_ms = 1 WHERE sequence = 1", "entries are never edited"),
        (
            "INSERT INTO entries SELECT * FROM entries ON CONFLICT (account_id, sequence) DO UPDATE SET body = 'x'",
            "entries are never edited",
        ),
        ("DELETE FROM entries WHERE sequence = 2", "entries are never removed"),
        ("TRUNCATE entries CASCADE", "entries are never removed"),
        ("TRUNCATE accounts CASCADE", "entries are never removed"),
        ("DELETE FROM accounts", "foreign key"),
        ("INSERT INTO entries SELECT 'nobody', sequence, at_ms, body, previous_hash, hash FROM entries", "foreign key"),
        ("INSERT INTO entries SELECT account_id, 3, at_ms, body, previous_hash, '' FROM entries", "check constraint"),
    ];
    for (sql, why) in refused {
        let error = sqlx::raw_sql(sql).execute(&mut db).await.expect_err(sql).to_string();
        assert!(error.contains(why), "{sql}: {error}");
        let kept = sqlx::query("SELECT 1 FROM entries WHERE at_ms = 0 AND body = ''").fetch_all(&mut db).await.expect("read");
        assert_eq!(kept.len(), 2, "{sql}");
    }
}
