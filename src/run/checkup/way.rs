//! An address in, the stations of the way to it out: name, connection, TLS, proxy.

use super::layer_of;
use super::station::Station;
use crate::cell::Door;
use crate::judge::Layer;
use crate::scenario::{Entry, Scenario};
use crate::wire::{Reach, Silence, Wire};

/// Tells the way to every door's URL; the doors that can be reached.
pub(super) async fn to_doors(
    scenario: &Scenario,
    wire: &Wire,
    tell: &mut dyn FnMut(Station),
) -> Vec<Door> {
    let deployment = &scenario.deployment;
    let mut reached = Vec::new();
    let addresses: [(&str, &Option<Entry>, bool); 2] = [
        ("door rest", &deployment.rest, false),
        ("door mcp", &deployment.mcp, true),
    ];
    for (branch, entry, speaks_mcp) in addresses {
        let Some(entry) = entry else {
            continue;
        };
        if to(branch, &entry.url, false, wire, tell).await {
            let doors = deployment.doors.iter().copied();
            reached.extend(doors.filter(|door| door.speaks_mcp() == speaks_mcp));
        }
    }
    reached
}

/// Tells the way to one URL; whether it leads there.
pub(super) async fn to(
    branch: &str,
    url: &str,
    is_provider: bool,
    wire: &Wire,
    tell: &mut dyn FnMut(Station),
) -> bool {
    let reach = match wire.reach(url).await {
        Ok(reach) => reach,
        Err(silence) => {
            tell(unnamed(branch, silence));
            return false;
        }
    };
    let steps = [
        Some(name(branch, &reach)),
        connection(branch, &reach, is_provider),
        tls(branch, &reach, is_provider),
        Some(proxy(branch, &reach)),
    ];
    for station in steps.into_iter().flatten() {
        tell(station);
    }
    leads_there(&reach)
}

fn leads_there(reach: &Reach) -> bool {
    reach.name.is_ok()
        && matches!(reach.connection, Some(Ok(())))
        && !matches!(reach.tls, Some(Err(_)))
}

fn unnamed(branch: &str, silence: Silence) -> Station {
    Station::broken(
        branch,
        "name",
        format!("the address cannot be used: {silence}"),
        Layer::Client,
        "Write an absolute http or https URL in the scenario.",
    )
}

fn name(branch: &str, reach: &Reach) -> Station {
    match &reach.name {
        Ok(addresses) => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let detail = format!("{} is {}", reach.dialled, addresses.join(", "));
            Station::whole(branch, "name", detail)
        }
        Err(silence) => Station::broken(
            branch,
            "name",
            format!("{}: {silence}", reach.dialled),
            Layer::Client,
            "Check the host in the scenario's variables, and this machine's name resolution.",
        ),
    }
}

fn connection(branch: &str, reach: &Reach, is_provider: bool) -> Option<Station> {
    Some(match reach.connection? {
        Ok(()) => Station::whole(branch, "connection", "open"),
        Err(silence) => Station::broken(
            branch,
            "connection",
            format!("{}: {silence}", reach.dialled),
            layer_of(is_provider),
            if reach.by_proxy {
                "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY: the proxy does not answer."
            } else {
                "Check host and port, whether the service runs, and the firewall in between."
            },
        ),
    })
}

fn tls(branch: &str, reach: &Reach, is_provider: bool) -> Option<Station> {
    reach.connection?.ok()?;
    Some(match reach.tls {
        None => Station::passed(branch, "TLS", "plain http"),
        Some(Ok(())) => Station::whole(
            branch,
            "TLS",
            "the certificate is trusted and names this host",
        ),
        Some(Err(silence)) => Station::broken(
            branch,
            "TLS",
            silence.to_string(),
            layer_of(is_provider),
            "Give a private authority's certificate with --cacert, and check that the server's names this host.",
        ),
    })
}

fn proxy(branch: &str, reach: &Reach) -> Station {
    if reach.by_proxy {
        Station::whole(branch, "proxy", format!("through {}", reach.dialled))
    } else {
        Station::passed(branch, "proxy", "none in between")
    }
}
