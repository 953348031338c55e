#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| firsthand_fuzz::checks::fold(input));
