//! Which known devices a difference concerns.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Comparison, Extent};
use crate::space::diagram::{FALSE, TRUE};

/// One device: a line of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Device {
    /// Its name.
    #[serde(alias = "device")]
    pub name: String,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Comparison<'_> {
    /// For each region, in their order, the names of the devices that it concerns
    /// from some address at some time, sorted.
    pub fn devices_concerned(&mut self, devices: &[Device]) -> Vec<Vec<String>> {
        let Some(unlocks) = &mut self.unlocks else {
            return vec![Vec::new(); self.regions.len()];
        };
        let time = unlocks.axes.time();
        let points: Vec<(&str, Vec<u32>)> = (devices.iter())
            .filter_map(|device| {
                Some((device.name.as_str(), unlocks.axes.place_tags(&device.tags)?))
            })
            .collect();
        let mut concerned = Vec::with_capacity(self.regions.len());
        for region in &self.regions {
            let mut union = FALSE;
            if let Extent::Unlock(pieces) = &region.extent {
                for (set, _) in pieces {
                    let ever = unlocks.diagrams.whatever(*set, time);
                    let wider = ever.and_then(|ever| unlocks.diagrams.or(union, ever));
                    // What takes too much to say may concern any device.
                    union = wider.unwrap_or(TRUE);
                }
            }
            let within = points
                .iter()
                .filter(|(_, point)| unlocks.diagrams.at(union, point) != 0);
            let mut names: Vec<String> = within.map(|(name, _)| (*name).to_owned()).collect();
            names.sort();
            names.dedup();
            concerned.push(names);
        }
        concerned
    }
}
