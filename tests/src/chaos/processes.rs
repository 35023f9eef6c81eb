//! Looking at processes: who is whose child, and which helms have lost their parent.

use std::collections::BTreeMap;
use std::path::Path;

use rustix::process::Pid;

/// One process.
#[derive(Debug, Clone)]
struct Process {
    pid: u32,
    parent: u32,
}

fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold anything.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?;
            let parent = fields.next()?.parse().ok()?;
            (state != "Z").then_some(Process { pid, parent })
        })
        .collect()
}

/// Children, their children and so on.
pub(super) fn descendants(pid: u32) -> Vec<Pid> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for process in all() {
        children.entry(process.parent).or_default().push(process.pid);
    }
    let mut found = Vec::new();
    let mut left = vec![pid];
    while let Some(parent) = left.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            left.push(*child);
            found.extend(i32::try_from(*child).ok().and_then(Pid::from_raw));
        }
    }
    found
}

/// The helms of this run (their command lines name a file below `directory`) whose parent is not, or no longer, the program.
pub(super) fn orphaned_helms(directory: &Path, program: &Path) -> Vec<u32> {
    let mark = directory.display().to_string();
    let of_this_run = |pid: u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(&mark) && line.split('\0').any(|word| word == "--kubeconfig" || word == "-n")
    };
    let has_parent = |parent: u32| std::fs::read_link(format!("/proc/{parent}/exe")).is_ok_and(|exe| exe == program);
    let orphans = all().into_iter().filter(|process| of_this_run(process.pid) && !has_parent(process.parent));
    orphans.map(|process| process.pid).collect()
}
