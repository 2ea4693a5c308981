//! What the rules about members share: the rows that belong to one member, kept in step.

use super::*;
use crate::crypto::sshsig;
use crate::fold::policy;
use crate::model::rows::{EmailRow, KeyRow, KeyStatus, MemberRow, RoleRow};
use crate::model::{Handle, PublicKey, RowKey, limits};

/// Refuses roles that are not sorted, each once, within the limit.
pub fn require_role_list(roles: &[Handle]) -> Result<(), Stop> {
    if roles.len() > limits::ROLES {
        let what = format!(
            "expected at most {} roles, found {}",
            limits::ROLES,
            roles.len()
        );
        return Stop::refuse(Code::TooLarge, what);
    }
    if !roles.is_sorted_by(|a, b| a < b) {
        return Stop::refuse(Code::JsonMalformed, "expected roles sorted, each once");
    }
    Ok(())
}

/// Refuses a key that is weak, or that is or was anybody's.
pub fn require_fresh_key(scene: &Scene<'_>, key: &PublicKey) -> Result<(), Stop> {
    require_strong_key(key)?;
    if let Some(row) = scene.get::<KeyRow>(&RowKey::of(key))? {
        let what = format!("the key {key} is or was that of `{}`", row.member);
        return Stop::refuse(Code::KeyTaken, what);
    }
    Ok(())
}

/// Refuses a key that is no strong point of the curve.
pub fn require_strong_key(key: &PublicKey) -> Result<(), Stop> {
    sshsig::check_key(key).or_else(|fault| Stop::refuse(fault.code, fault.what))
}

/// Refuses to take a role from its last holder.
pub fn require_not_last(scene: &Scene<'_>, member: &Handle, roles: &[Handle]) -> Result<(), Stop> {
    for role in roles {
        if policy::holders(scene, role)? == [member.clone()] {
            let what = format!("`{member}` is the last who holds the role `{role}`");
            return Stop::refuse(Code::LastHolder, what);
        }
    }
    Ok(())
}

/// Writes the rows of a new or changed member; `old` is the row that stood there.
pub fn write_member(scene: &mut Scene<'_>, old: Option<&MemberRow>, new: &MemberRow) {
    if let Some(old) = old {
        for role in old.roles.iter().filter(|role| !new.roles.contains(role)) {
            scene.remove::<RoleRow>(RowKey::pair(role.as_str(), new.handle.as_str()));
        }
        if old.email != new.email {
            scene.remove::<EmailRow>(RowKey::of(&old.email));
        }
    }
    for role in &new.roles {
        scene.put(&RoleRow {
            member: new.handle.clone(),
            role: role.clone(),
        });
    }
    scene.put(&EmailRow {
        email: new.email.clone(),
        member: new.handle.clone(),
    });
    write_key(scene, new, new.key, KeyStatus::Current);
    scene.put(new);
}

/// Writes what became of one of a member's keys.
pub fn write_key(scene: &mut Scene<'_>, member: &MemberRow, key: PublicKey, status: KeyStatus) {
    scene.put(&KeyRow {
        email: member.email.clone(),
        key,
        member: member.handle.clone(),
        status,
    });
}
