//! A token's `wids` in, the directory roles that no ordinary account holds out, by name.

/// Roles that every account of its kind holds: member, guest, and the mark that Entra ID puts on applications' tokens.
const ORDINARY: [&str; 3] = [
    "b79fbf4d-3ef9-4689-8143-76b194e85509",
    "10dae51f-b6af-4016-8d66-8c2a99b929b3",
    "0997a1d0-0d1d-4acb-b408-d5ca73121e90",
];

/// Template ids of roles worth naming (Microsoft Entra built-in roles).
const NAMES: [(&str, &str); 11] = [
    (
        "62e90394-69f5-4237-9190-012177145e10",
        "Global Administrator",
    ),
    (
        "e8611ab8-c189-46e8-94e1-60213ab1f814",
        "Privileged Role Administrator",
    ),
    (
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
        "Application Administrator",
    ),
    (
        "158c047a-c907-4556-b7ef-446551a6b5f7",
        "Cloud Application Administrator",
    ),
    (
        "cf1c38e5-3621-4004-a7cb-879624dced7c",
        "Application Developer",
    ),
    (
        "194ae4cb-b126-40b2-bd5b-6091b380977d",
        "Security Administrator",
    ),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers"),
    ("d2562ede-74db-457e-a7b6-544e236ebb61", "AI Administrator"),
    (
        "db506228-d27e-4b7d-95e5-295956d6615f",
        "Agent ID Administrator",
    ),
];

/// The names of the roles that are not ordinary; the id of one that has no name here.
pub(super) fn beyond_ordinary(held: &[String]) -> Vec<String> {
    held.iter()
        .filter(|id| {
            !ORDINARY
                .iter()
                .any(|ordinary| id.eq_ignore_ascii_case(ordinary))
        })
        .map(|id| name(id))
        .collect()
}

fn name(id: &str) -> String {
    let known = NAMES
        .iter()
        .find(|(known, _)| id.eq_ignore_ascii_case(known));
    known.map_or_else(
        || format!("directory role {id}"),
        |(_, name)| (*name).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_ordinary_is_named() {
        let held = [
            "B79FBF4D-3ef9-4689-8143-76b194e85509",
            "62e90394-69f5-4237-9190-012177145e10",
            "0997a1d0-0d1d-4acb-b408-d5ca73121e90",
            "00000000-0000-0000-0000-000000000007",
        ];
        let named = beyond_ordinary(&held.map(str::to_owned));
        assert_eq!(
            named,
            [
                "Global Administrator",
                "directory role 00000000-0000-0000-0000-000000000007"
            ]
        );
    }
}
