//! What a spec may say, and what is answered when it says something else.
