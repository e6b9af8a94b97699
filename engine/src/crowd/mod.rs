//! The project's own implementation of Ground Truth's crowd elements (`crowd-form`, `crowd-classifier`, …), served in
//! place of AWS's script so that a job's template works unchanged. The elements' attributes, regions and output are
//! those of AWS's "Crowd HTML Elements Reference".

/// The elements: one plain script, no build step.
pub const SCRIPT: &str = include_str!("../../assets/crowd/crowd-html-elements.js");
/// Their one stylesheet, light and dark.
pub const STYLE: &str = include_str!("../../assets/crowd/crowd-html-elements.css");
