# Habits of this repository. `just` is a convenience: README.md has each command as it is.

# Show the recipes
default:
    @just --list

# The bot; without a configuration the rehearsal
run *ARGS:
    cargo run --release -- run {{ ARGS }}

# The rehearsal from its beginning, whatever was rehearsed before
rehearse *ARGS:
    rm -f rehearsal.db rehearsal.db-wal rehearsal.db-shm
    cargo run --release -- run {{ ARGS }}

# The tests, in the default build
test *ARGS:
    cargo test {{ ARGS }}

# The tests, in the default build and in the one with the single writer
test-both:
    cargo test
    cargo test --features single-writer

# The long form of killing the bot: twenty times each
test-killed BOTS="50":
    TEST_KILLED_BOTS={{ BOTS }} cargo test --test it bot::killed

# Clippy on both builds; warnings are errors
lint:
    cargo clippy --locked --all-targets -- -D warnings
    cargo clippy --locked --all-targets --features single-writer -- -D warnings

# Format all sources
fmt:
    cargo fmt --all

# The library's documentation, in a browser
doc:
    cargo doc --no-deps --open

# Install sqlx-cli as `prepare` and `migrate` need it
sqlx-cli:
    cargo install sqlx-cli --version 0.9.0 --no-default-features --features sqlite,sqlx-toml --locked

# Write .sqlx anew, from a database made by the migrations alone; after every change of a query or a migration
prepare:
    mkdir -p target
    rm -f target/prepare.db target/prepare.db-wal target/prepare.db-shm
    cargo sqlx database create --database-url sqlite://target/prepare.db
    cargo sqlx migrate run --database-url sqlite://target/prepare.db
    cargo sqlx prepare --database-url sqlite://{{ justfile_directory() }}/target/prepare.db -- --all-targets

# Bring a database to this schema with sqlx-cli, and show what is installed
migrate DATABASE="firsthand.db":
    cargo sqlx database create --database-url sqlite://{{ DATABASE }}
    cargo sqlx migrate run --database-url sqlite://{{ DATABASE }}
    cargo sqlx migrate info --database-url sqlite://{{ DATABASE }}

# Locking strategies for SQLite side by side, with a picture; --quick, --full, --help
compare-locking *ARGS:
    cargo bench --bench locking -- {{ ARGS }}

# The bot under both locking strategies: two processes replay into one database
compare-bot *ARGS:
    python3 tools/compare_bot.py {{ ARGS }}

# How well copies are recognised, over a folder of data sets as docs/evaluation.md describes it
score DIR=env("FIRSTHAND_EVAL_DIR", "tests/fixtures/evaluation") *ARGS:
    python3 tools/score.py {{ DIR }} {{ ARGS }}

# Fuzz one target; needs a nightly toolchain and cargo-fuzz, see fuzz/README.md
fuzz TARGET SECONDS="60":
    fuzz/run {{ TARGET }} {{ SECONDS }}

# What the intake costs, and what a verdict costs as the archive grows; both at small sizes
bench:
    cargo bench --bench intake -- --quick
    cargo bench --bench growth -- --posts 10000,50000

# What a verdict costs as the archive grows, at any sizes; with a database, the archive is kept and gone on with
growth SIZES="100000,1000000" *ARGS:
    cargo bench --bench growth -- --posts {{ SIZES }} {{ ARGS }}

# Everything that continuous integration runs
ci:
    .ci/run

# The same in its long form: each fuzz target has ten minutes
ci-full:
    FUZZ_SECONDS=4800 .ci/run
