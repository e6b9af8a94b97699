//! The protocols as they run on Lambda, on a seeded clock and in a seeded faulty world.
