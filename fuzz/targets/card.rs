#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    aispace_fuzz::fuzzed::card(data);
});
