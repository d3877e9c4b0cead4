//! What the operating system says of this process, under the names that all exporters use. Where it does not say it,
//! there is nothing.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Of Linux on every machine that this runs on.
const PAGE_BYTES: i64 = 4096;

pub fn register(registry: &mut Registry) {
    let figures = [
        ("process_resident_memory_bytes", "Memory in use", resident()),
        ("process_open_fds", "Open files and connections", entries_of("/proc/self/fd")),
        ("process_threads", "Threads", entries_of("/proc/self/task")),
    ];
    for (name, help, value) in figures {
        let Some(value) = value else { continue };
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
}

fn resident() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse::<i64>().ok().map(|pages| pages * PAGE_BYTES)
}

fn entries_of(folder: &str) -> Option<i64> {
    i64::try_from(std::fs::read_dir(folder).ok()?.count()).ok()
}
