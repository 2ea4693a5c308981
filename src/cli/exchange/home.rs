//! Which repository is the home of the space, and which pages it is known to have.

use super::Remote;
use crate::cli::context::{Context, view_of};
use crate::fold::Scene;
use crate::journal::history::History;
use crate::journal::reconcile::peer;
use crate::journal::{Page, Space};
use crate::model::rows::SpaceRow;
use crate::model::{Number, RowKey};
use crate::remote::Location;
use crate::store::GitStore;
use serde::Serialize;

/// Set by `folio clone`: a clone without remotes is still no home.
pub const CLONED: &str = "folio.cloned";
/// The remote that is the home, where the space names none.
const HOME: &str = "folio.home";

/// Where the home is, seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// This very repository.
    Here,
    /// The remote with this key.
    Remote(String),
    /// It cannot be reached from here by any remote.
    Elsewhere,
}

impl Home {
    /// Finds it: the address that the newest state names, else the remote that `folio.home` names, else
    /// `origin`, else this repository, unless it is a clone.
    pub fn of(context: &Context, space: &Space<'_, GitStore>) -> anyhow::Result<Self> {
        let page = Page::read(&context.store, space.tip()?)?;
        let row: Option<SpaceRow> =
            Scene::new(&view_of(&space.tables, &page)).get(&RowKey::of(""))?;
        let named = row.map(|row| row.home.to_string()).unwrap_or_default();
        let remotes = super::known(context);
        if !named.is_empty() {
            return Ok(Self::by_address(context, &remotes, &named));
        }
        let chosen = context.store.config_value(HOME);
        let name = chosen.as_deref().unwrap_or("origin");
        Ok(match remotes.iter().find(|remote| remote.name == name) {
            Some(remote) => Self::Remote(remote.key.clone()),
            None if !remotes.is_empty() || context.store.config_value(CLONED).is_some() => {
                Self::Elsewhere
            }
            None => Self::Here,
        })
    }

    fn by_address(context: &Context, remotes: &[Remote], named: &str) -> Self {
        let same = |url: &Location| {
            url.as_str().trim_end_matches('/') == named.trim_end_matches('/')
                || url.local().is_some() && url.local() == local(named)
        };
        if let Some(remote) = remotes.iter().find(|remote| same(&remote.url)) {
            return Self::Remote(remote.key.clone());
        }
        let here = [Some(context.store.common_dir()), context.store.work_tree()];
        let is_here = here.iter().flatten().any(|dir| {
            local(named).is_some_and(|home| dir.canonicalize().ok() == home.canonicalize().ok())
        });
        match is_here {
            true => Self::Here,
            false => Self::Elsewhere,
        }
    }
}

fn local(address: &str) -> Option<std::path::PathBuf> {
    let location = Location::parse(address, std::path::Path::new("/")).ok()?;
    location.local()
}

/// Pages that home is not known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Provisional {
    /// The newest number that home is known to have.
    pub home: u64,
    /// The newest number here.
    pub newest: u64,
}

/// The pages that are not final, as far as is known here; none where this is the home.
pub fn provisional(
    context: &Context,
    space: &Space<'_, GitStore>,
    history: &History<'_>,
) -> anyhow::Result<Option<Provisional>> {
    if Home::of(context, space)? == Home::Here {
        return Ok(None);
    }
    let home: Number = peer::final_number(&context.store, history)?;
    Ok((home < history.len()).then_some(Provisional {
        home: home.0,
        newest: history.len().0,
    }))
}
