// What tests that run under mpirun share: the session of the whole run.
#pragma once

#include "comm/session.h"

namespace lockstep::test {

const comm::Session& session();

}  // namespace lockstep::test
