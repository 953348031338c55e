use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Args, clap::Error> {
    Args::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_of_the_arguments_is_consistent() {
    Args::command().debug_assert();
}

#[test]
fn every_help_text_has_examples_and_stays_as_reviewed() {
    let mut command = Args::command().term_width(80);
    command.build();
    let mut texts = format!("$ firsthand --help\n{}", command.render_long_help());
    for command in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let help = command.render_help().to_string();
        assert!(help.contains("Examples:"), "{}", command.get_name());
        texts.push_str(&format!("\n\n$ firsthand {} --help\n{help}", command.get_name()));
    }
    for exit in exit::Exit::ALL {
        assert!(texts.contains(exit.meaning()), "{exit}");
    }
    insta::assert_snapshot!("help", texts.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}

#[test]
fn global_options_stand_before_or_after_the_command() {
    for line in ["firsthand --database a.db -vv status", "firsthand status --database a.db -v -v"] {
        let args = parse(line).unwrap();
        assert_eq!(args.global.database.as_deref(), Some("a.db"));
        assert_eq!(args.global.verbosity(), 2);
    }
    assert_eq!(parse("firsthand run -q").unwrap().global.verbosity(), -1);
    assert!(parse("firsthand run -q -v").is_err());
}

#[test]
fn commands_take_what_their_examples_say() {
    let mut examples = 0;
    for command in Args::command().get_subcommands() {
        let help = command.get_after_help().unwrap().to_string();
        for line in help.lines().filter(|line| line.starts_with("  firsthand")) {
            let line = line.split("   ").find(|part| !part.is_empty()).unwrap().split('|').next().unwrap();
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            examples += 1;
        }
    }
    assert!(examples > 15, "{examples}");
}

#[test]
fn nonsense_is_refused_as_wrong_usage() {
    for line in [
        "firsthand replay",
        "firsthand replay --compare strict",
        "firsthand replay --compare strict eager",
        "firsthand replay --archive",
        "firsthand replay --compare strict eager --archive posts.jsonl",
        "firsthand replay --compare strict eager --mode strict posts.jsonl",
        "firsthand replay --mode lenient posts.jsonl",
        "firsthand search",
        "firsthand search --best --newest rust",
        "firsthand search --limit 0 rust",
        "firsthand run --backfill 6",
        "firsthand run --speed 0",
        "firsthand run --speed nan",
        "firsthand frobnicate",
        "firsthand --color sometimes run",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), i32::from(exit::Exit::Usage.code()), "{line}");
    }
}
