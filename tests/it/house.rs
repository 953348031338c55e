//! The house's own rules, held against its sources: which layer may use which, where SQL stands, how long a file is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::rust_source::{CratePath, crate_paths, without_comments_and_literals};

/// The layers from the bottom up. A module uses those of the ranks below its own, and itself.
const LAYERS: &[&[&str]] = &[
    &["escape"],
    &["model"],
    &["text", "config"],
    &["store", "network", "telemetry"],
    &["dedup"],
    &["pipeline", "web"],
    &["cli"],
    &["main"],
];

/// Longer files do more than one thing.
const LINES_OF_A_FILE: usize = 450;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file, with its path from the package's root.
struct Source {
    path: String,
    text: String,
    /// The text, comments and literals blanked.
    code: String,
}

impl Source {
    /// The module directly below the crate that this file belongs to.
    fn module(&self) -> &str {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let mut folders = vec![root().join(folder)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no sources in {folder}");
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let path = file.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            Source { path, code: without_comments_and_literals(&text), text }
        })
        .collect()
}

/// The package's own code, its tests and its benchmarks.
fn all_sources() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(sources).collect()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Why a module may not use another; `None` if it may.
fn objection(from: &str, to: &str) -> Option<String> {
    let (Some(own), Some(other)) = (rank(from), rank(to)) else {
        return Some(format!("{from} → {to}: no such layer; a new module gets its place in LAYERS"));
    };
    let upward = from != to && other >= own;
    upward.then(|| format!("{from} → {to}: imports run downward only"))
}

fn offences(sources: &[Source], lines: impl Fn(&Source) -> Vec<(usize, String)>) -> Vec<String> {
    sources
        .iter()
        .flat_map(|source| lines(source).into_iter().map(move |(line, why)| format!("{}:{line}: {why}", source.path)))
        .collect()
}

fn assert_none(offences: &[String]) {
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

/// The numbers of the lines that hold one of the words.
fn lines_with(text: &str, words: &[&str]) -> Vec<(usize, String)> {
    let numbered = text.lines().zip(1..);
    numbered
        .filter_map(|(line, number)| words.iter().find(|word| line.contains(**word)).map(|word| (number, word)))
        .map(|(number, word)| (number, format!("`{word}`")))
        .collect()
}

#[test]
fn imports_run_downward_only() {
    assert_none(&offences(&sources("src"), |source| {
        // lib.rs is the map of all modules and uses none.
        let paths = crate_paths(&source.code, if source.module() == "main" { "firsthand" } else { "crate" });
        let judged = paths.into_iter().filter_map(|CratePath { line, module }| {
            objection(source.module(), &module).map(|objection| (line, objection))
        });
        judged.collect()
    }));
}

#[test]
fn a_layer_is_told_from_the_one_below_it() {
    assert_eq!(objection("store", "model"), None);
    assert_eq!(objection("store", "store"), None);
    assert!(objection("store", "dedup").is_some());
    assert!(objection("network", "store").is_some(), "equal ranks never import each other");
    assert!(objection("escape", "model").is_some());
    assert!(objection("store", "helpers").is_some(), "an unknown module has no rank");
}

#[test]
fn every_module_of_the_library_has_its_layer() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(modules.len() >= 8, "{modules:?}");
    for module in modules {
        assert!(rank(module).is_some(), "{module} has no place in LAYERS");
    }
}

#[test]
fn sql_stands_only_in_the_store() {
    let mut sources = sources("src");
    sources.retain(|source| source.module() != "store");
    let words = ["sqlx::query", "sqlx::raw_sql", "sqlx::migrate", "sqlx::AssertSqlSafe", "QueryBuilder", "query!("];
    assert_none(&offences(&sources, |source| lines_with(&source.code, &words)));
}

#[test]
fn the_network_never_sees_the_database() {
    let mut sources = sources("src");
    sources.retain(|source| ["network", "text", "model", "config"].contains(&source.module()));
    assert_none(&offences(&sources, |source| lines_with(&source.code, &["sqlx::"])));
}

#[test]
fn pure_layers_do_no_io() {
    let mut sources = sources("src");
    sources.retain(|source| ["text", "model", "escape"].contains(&source.module()));
    let words = ["std::fs", "std::net", "std::env", "std::process", "tokio::", "reqwest::", "println!", "eprintln!"];
    assert_none(&offences(&sources, |source| lines_with(&source.code, &words)));
}

#[test]
fn no_file_is_too_long() {
    let sources = all_sources();
    assert_none(&offences(&sources, |source| {
        let lines = source.text.lines().count();
        if lines > LINES_OF_A_FILE { vec![(lines, format!("longer than {LINES_OF_A_FILE} lines"))] } else { Vec::new() }
    }));
}

#[test]
fn nothing_is_left_undone_and_no_test_is_left_out() {
    let sources = all_sources();
    let words = ["todo!", "unimplemented!", "dbg!", "#[ignore"];
    assert_none(&offences(&sources, |source| lines_with(&source.code, &words)));
}

#[test]
fn unsafe_code_is_forbidden() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(library.lines().any(|line| line == "#![forbid(unsafe_code)]"));
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let commands: Vec<&str> = readme
        .split("```")
        .nth(1)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split('#').next().unwrap_or(line).trim())
        .collect();
    assert_eq!(commands, ["cargo run --release -- run", "cargo test"]);
}

#[test]
fn the_readme_names_every_command_and_every_exit_code() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let help = <firsthand::cli::args::Args as clap::CommandFactory>::command();
    for command in help.get_subcommands() {
        let name = format!("`firsthand {}", command.get_name());
        assert!(readme.contains(&name), "the README lacks {name}");
    }
    for exit in firsthand::cli::Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(readme.contains(&row), "the README lacks the row {row}");
    }
}

#[test]
fn the_code_map_names_every_module() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for source in sources("src") {
        let path = source.path.trim_end_matches("/mod.rs");
        let parts: Vec<&str> = path.split('/').collect();
        // Folders are named, and single files directly below src.
        let named = if parts.len() > 2 { format!("src/{}/", parts[1]) } else { path.to_owned() };
        assert!(map.contains(&named) || map.contains(&format!("{named}/")), "ARCHITECTURE.md lacks {named}");
    }
    for line in map.lines() {
        for path in line.split('`').skip(1).step_by(2).filter(|word| word.starts_with("src/")) {
            assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}, which is not there");
        }
    }
}
