//! What was typed after `--shard` and the variables of the machine in, which shard it calls out.

use super::Context;
use super::args::WhichShard;
use super::environment::Environment;
use crate::exit::Exit;
use crate::plan::Shard;

/// A system that starts several machines for one job, and tells each which it is.
struct System {
    name: &'static str,
    index: &'static str,
    /// What the first machine's index is.
    first: u32,
    total: &'static str,
}

/// Those that `--shard auto` knows, in the order in which they are asked.
const SYSTEMS: [System; 4] = [
    // docs.gitlab.com, predefined variables: CI_NODE_INDEX is set where `parallel` is.
    System {
        name: "GitLab",
        index: "CI_NODE_INDEX",
        first: 1,
        total: "CI_NODE_TOTAL",
    },
    // learn.microsoft.com, parallel jobs: "slicing".
    System {
        name: "Azure Pipelines",
        index: "SYSTEM_JOBPOSITIONINPHASE",
        first: 1,
        total: "SYSTEM_TOTALJOBSINPHASE",
    },
    // buildkite.com, environment variables: the first job is 0.
    System {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        first: 0,
        total: "BUILDKITE_PARALLEL_JOB_COUNT",
    },
    // kubernetes.io, Job: an Indexed Job tells each Pod its index, and none the number of completions.
    System {
        name: "Kubernetes",
        index: "JOB_COMPLETION_INDEX",
        first: 0,
        total: "ROLECALL_SHARDS",
    },
];

/// The shard that was asked for; `None` for all of the plan.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn wanted(stated: Option<WhichShard>, context: &Context) -> Result<Option<Shard>, Exit> {
    match stated {
        None => Ok(None),
        Some(WhichShard::This(shard)) => Ok(Some(shard)),
        Some(WhichShard::Auto) => of_machine(&context.environment).map(Some).map_err(|words| {
            context
                .terminal
                .say(format!("error: --shard auto: {words}"));
            Exit::Usage
        }),
    }
}

fn of_machine(environment: &Environment) -> Result<Shard, String> {
    let is_here = |system: &&System| environment.variable(system.index).is_some();
    let Some(system) = SYSTEMS.iter().find(is_here) else {
        return undivided(environment).ok_or_else(nowhere);
    };
    let System {
        name,
        index,
        total,
        first,
    } = system;
    let stated = environment.variable(total).ok_or_else(|| {
        let remedy = if *name == "Kubernetes" {
            "; set it to the Job's completions"
        } else {
            ""
        };
        format!("{name} gives {index}, but {total} is not set{remedy}")
    })?;
    let given = environment.variable(index).unwrap_or_default();
    let number = given
        .parse()
        .ok()
        .and_then(|at: u32| at.checked_add(1)?.checked_sub(*first));
    let of = stated.parse().ok();
    number
        .zip(of)
        .and_then(|(number, of)| Shard::new(number, of))
        .ok_or_else(|| {
            format!(
                "{index}={given} of {total}={stated} names no shard; {index} counts from {first}"
            )
        })
}

/// GitLab sets the total to 1 where a job is not parallel, and no index.
fn undivided(environment: &Environment) -> Option<Shard> {
    let total = environment.variable("CI_NODE_TOTAL")?;
    (total == "1").then(|| Shard::new(1, 1))?
}

fn nowhere() -> String {
    let known = SYSTEMS.iter().map(|system| {
        let System {
            name, index, total, ..
        } = system;
        format!("{name} ({index} and {total})")
    });
    let known: Vec<String> = known.collect();
    format!(
        "none of these says which shard this machine is: {}; elsewhere, such as in a GitHub matrix, say it: --shard 2/5",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_machine(variables: &[(&str, &str)]) -> Result<String, String> {
        let shard = super::of_machine(&Environment::of(variables))?;
        Ok(shard.to_string())
    }

    #[test]
    fn each_system_counts_in_its_own_way() {
        let table = [
            (
                vec![("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "3")],
                "shard 1 of 3",
            ),
            (vec![("CI_NODE_TOTAL", "1")], "shard 1 of 1"),
            (
                vec![
                    ("SYSTEM_JOBPOSITIONINPHASE", "3"),
                    ("SYSTEM_TOTALJOBSINPHASE", "3"),
                ],
                "shard 3 of 3",
            ),
            (
                vec![
                    ("BUILDKITE_PARALLEL_JOB", "0"),
                    ("BUILDKITE_PARALLEL_JOB_COUNT", "3"),
                ],
                "shard 1 of 3",
            ),
            (
                vec![("JOB_COMPLETION_INDEX", "2"), ("ROLECALL_SHARDS", "3")],
                "shard 3 of 3",
            ),
            (
                vec![
                    ("JOB_COMPLETION_INDEX", "0"),
                    ("ROLECALL_SHARDS", "9"),
                    ("CI_NODE_INDEX", "2"),
                    ("CI_NODE_TOTAL", "3"),
                ],
                "shard 2 of 3",
            ),
        ];
        for (variables, expected) in table {
            assert_eq!(
                of_machine(&variables).as_deref(),
                Ok(expected),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn what_names_no_shard_is_told_with_the_remedy() {
        let table = [
            (vec![], "say it: --shard 2/5"),
            (
                vec![("JOB_COMPLETION_INDEX", "0")],
                "set it to the Job's completions",
            ),
            (
                vec![("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "3")],
                "counts from 1",
            ),
            (
                vec![
                    ("BUILDKITE_PARALLEL_JOB", "3"),
                    ("BUILDKITE_PARALLEL_JOB_COUNT", "3"),
                ],
                "counts from 0",
            ),
            (
                vec![("CI_NODE_INDEX", "x"), ("CI_NODE_TOTAL", "3")],
                "names no shard",
            ),
            (
                vec![("CI_NODE_INDEX", "4294967295"), ("CI_NODE_TOTAL", "3")],
                "names no shard",
            ),
        ];
        for (variables, wanted) in table {
            let words = of_machine(&variables).unwrap_err();
            assert!(words.contains(wanted), "{words}");
        }
    }
}
