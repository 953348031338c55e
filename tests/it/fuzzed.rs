//! The checks of the fuzz targets, over every input that is kept: the seeds from which fuzzing begins, and those that
//! once made a check fail.

use std::{fs, path::Path};

#[expect(unreachable_pub, reason = "the fuzz targets call them too")]
#[path = "../../fuzz/src/checks.rs"]
mod checks;

/// The kept inputs of a check, each with its path.
fn kept(folder: &str, check: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder).join(check);
    let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

#[test]
fn every_kept_input_passes_its_check() {
    for (name, check) in checks::CHECKS {
        let seeds = kept("corpus", name);
        assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
        for (path, input) in seeds.into_iter().chain(kept("regressions", name)) {
            println!("{path}"); // Shown if its check panics.
            check(&input);
        }
    }
}

#[test]
fn every_fuzz_target_runs_the_check_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let targets: Vec<_> = fs::read_dir(root.join("fuzz_targets")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(targets.len(), checks::CHECKS.len());
    for (name, _) in checks::CHECKS {
        let target = fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("checks::{name}(input)")), "{name} runs another check: {target}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml lacks {name}");
    }
    for folder in ["corpus", "regressions"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(checks::CHECKS.iter().any(|(check, _)| *check == name), "no check for fuzz/{folder}/{name}");
        }
    }
}
