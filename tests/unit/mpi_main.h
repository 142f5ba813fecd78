// What tests that run under mpirun share: the session of the whole run, and its communicators.
#pragma once

#include "comm/session.h"

namespace lockstep::test {

const comm::Session& session();
inline const comm::Communicator& world() { return session().world(); }
inline const comm::Communicator& self() { return session().self(); }

}  // namespace lockstep::test
