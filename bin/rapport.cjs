#!/usr/bin/env node
// The command `rapport` is the launcher under a shorter name.
require('./launch.cjs')
