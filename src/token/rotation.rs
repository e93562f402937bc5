//! A refresh token that replaces another in, the file that keeps it out.

use std::io::{self, Write as _};
use std::path::Path;

use crate::secret::Secret;

/// Puts a refresh token into a file, whole or not at all; only the file's owner may read it.
///
/// # Errors
/// The file could not be written; what it held before is still there.
pub(super) fn keep(path: &Path, token: &Secret) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Temporary files are made readable by their owner alone, and keep that when they take the place of another.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new(".")))?;
    file.write_all(token.expose().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_takes_the_place_of_the_old_one_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refresh");
        std::fs::write(&path, "old").unwrap();
        keep(&path, &Secret::new("new".to_owned())).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_nothing_else() {
        let path = Path::new("no-such-folder/refresh");
        assert!(keep(path, &Secret::new("new".to_owned())).is_err());
    }
}
