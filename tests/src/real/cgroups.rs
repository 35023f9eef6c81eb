//! The control groups of a container that runs on this machine: which processes are its own, and what they may use. Of version 1 and 2.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// What a container may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Thousandths of a processor.
    pub cpu: u64,
    /// MiB.
    pub memory: u64,
}

/// The processes whose control group is named by the container's id, each with its `/proc/PID/cgroup`.
fn processes(container: &str) -> anyhow::Result<Vec<(Pid, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let pid = path.file_name().and_then(|name| name.to_str()?.parse().ok()).and_then(Pid::from_raw);
        // One that has ended meanwhile has no file any more.
        if let (Some(pid), Ok(groups)) = (pid, fs::read_to_string(path.join("cgroup")))
            && groups.contains(container)
        {
            found.push((pid, groups));
        }
    }
    Ok(found)
}

/// SIGKILL to each of them; whether there was any.
pub(super) fn kill(container: &str) -> anyhow::Result<bool> {
    let mut any = false;
    for (pid, _) in processes(container)? {
        any |= kill_process(pid, Signal::KILL).is_ok();
    }
    Ok(any)
}

/// What the kernel keeps the container to.
pub(super) fn limits(container: &str) -> anyhow::Result<Limits> {
    let all = processes(container)?;
    let (_, groups) = all.first().with_context(|| format!("no process of {container} is on this machine"))?;
    let read = |path: PathBuf| fs::read_to_string(&path).with_context(|| path.display().to_string());
    let number = |text: &str| text.trim().parse::<u64>().with_context(|| format!("no limit: {text}"));
    let (quota, period, memory) = if let (Some(cpu), Some(memory)) = (group(groups, "cpu"), group(groups, "memory")) {
        let quota = read(cpu.join("cpu.cfs_quota_us"))?;
        (quota, read(cpu.join("cpu.cfs_period_us"))?, read(memory.join("memory.limit_in_bytes"))?)
    } else {
        let group = group(groups, "").context("no control group")?;
        let max = read(group.join("cpu.max"))?;
        let (quota, period) = max.split_once(' ').with_context(|| format!("cpu.max: {max}"))?;
        (quota.to_owned(), period.to_owned(), read(group.join("memory.max"))?)
    };
    Ok(Limits { cpu: number(&quota)? * 1000 / number(&period)?, memory: number(&memory)? >> 20 })
}

/// Where a controller's files are; the empty name is version 2.
fn group(groups: &str, controller: &str) -> Option<PathBuf> {
    let line = groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers.split(',').any(|it| it == controller).then_some(path)
    })?;
    let mount = Path::new("/sys/fs/cgroup").join(controller);
    mount.is_dir().then(|| mount.join(line.trim_start_matches('/')))
}
