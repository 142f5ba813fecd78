"""launch/run and the MPIs: which mpirun it takes, the options in each one's words, and what each of them says."""

import contextlib
import io
import os
import unittest
from unittest import mock

from folder import Folder
from lockstep_launch import command_line, hosts, machine, networks, run
from lockstep_launch.guard import Guard
from lockstep_launch.messages import Messages
from lockstep_launch.mpirun import Hydra, OpenMpi, Start, detect, first_sentence
from lockstep_launch.supervision import Ended

OPEN_MPI_4 = OpenMpi("mpirun", "mpirun (Open MPI) 4.1.4\n\nReport bugs")
OPEN_MPI_5 = OpenMpi("mpirun", "mpirun (Open MPI) 5.0.7\n")
HYDRA = Hydra("mpiexec.mpich", "HYDRA build details:\n    Version: 4.0.2\n")


class Options(Folder):
    """mpirun's, by its MPI and version."""

    def words(self, launcher, *arguments, cpus=4, environment=None):
        program = self.write("lockstep", "")
        with mock.patch.multiple(machine, affinity_cpus=lambda: cpus, online_cpus=lambda: 4, physical_cores=lambda: 4,
                                 quota=lambda: None), \
                mock.patch.dict(os.environ, environment or {}), contextlib.redirect_stderr(io.StringIO()):
            return " ".join(run.Job(command_line.parse(arguments), launcher, str(program)).command())

    def test_a_host_that_has_gone_silent_is_given_up(self):
        self.assertIn(" --mca oob_tcp_keepalive_time 3 --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 3 ",
                      self.words(OPEN_MPI_4, "--host", "a:2,b:2", "c.toml"))
        self.assertIn(" --prtemca oob_tcp_keepalive_time 3 --prtemca oob_tcp_keepalive_intvl 1 --prtemca oob_tcp_keepalive_probes 3 ",
                      self.words(OPEN_MPI_5, "--host", "a:2,b:2", "c.toml"))

    def test_networks_that_lead_to_no_other_host_are_left_out_unless_the_user_has_chosen(self):
        with mock.patch.object(networks, "inner", lambda: ["172.17.0.0/16"]):
            ours = " --mca btl_tcp_if_exclude 127.0.0.1/8,sppp,172.17.0.0/16 "
            self.assertIn(ours, self.words(OPEN_MPI_4, "--host", "a,b", "c.toml"))
            self.assertNotIn(ours, self.words(OPEN_MPI_4, "-np", "2", "c.toml"))
            self.assertNotIn(ours, self.words(OPEN_MPI_5, "--host", "a,b", "--mpi", "--mca btl_tcp_if_include eth0", "c.toml"))
            self.assertNotIn(ours, self.words(OPEN_MPI_4, "--host", "a,b", "c.toml", environment={"OMPI_MCA_btl_tcp_if_include": "eth0"}))

    def test_such_networks_are_those_of_bridges_without_a_device(self):
        for name in ("eth0", "br0/bridge", "br0/brif/eth0/device", "docker0/bridge", "docker0/brif/veth1", "virbr0/bridge"):
            (self.folder / "net" / name).mkdir(parents=True)
        with mock.patch.object(networks, "subnet_of", lambda name: {"docker0": "172.17.0.0/16"}.get(name)):
            self.assertEqual(networks.inner(self.folder / "net"), ["172.17.0.0/16"])

    def test_domains_are_kept_where_they_tell_hosts_apart(self):
        self.assertIn(" --mca orte_keep_fqdn_hostnames 1 ", self.words(OPEN_MPI_4, "--host", "a.x,a.y", "c.toml"))
        self.assertIn(" --prtemca prte_keep_fqdn_hostnames 1 ", self.words(OPEN_MPI_5, "--host", "a.x,a.y", "c.toml"))
        self.assertNotIn("fqdn", self.words(OPEN_MPI_4, "--host", "a.x,b.x", "c.toml"))

    def test_a_users_own_parameter_replaces_ours(self):
        for launcher in (OPEN_MPI_4, OPEN_MPI_5):
            words = self.words(launcher, "--host", "a,b", "--mpi", "--mca oob_tcp_keepalive_time 9", "c.toml")
            self.assertEqual(words.count("keepalive_time"), 1)
            self.assertIn("mca oob_tcp_keepalive_time 9", words)
            self.assertIn("keepalive_intvl 1", words)

    def test_more_ranks_than_slots_are_refused(self):
        self.refuses(2, "-np 5 with --host a:2,b:2 needs 5 slots, found 4: expected -np 4 at most, or --force", self.words, OPEN_MPI_4, "-np",
                     "5", "--host", "a:2,b:2", "c.toml")
        self.assertIn("slot:OVERSUBSCRIBE", self.words(OPEN_MPI_4, "-np", "5", "--host", "a:2,b:2", "--force", "c.toml"))
        self.assertIn("-np 5", self.words(OPEN_MPI_4, "-np", "5", "--host", "a:*,b:2", "c.toml"))

    def test_the_agent(self):
        self.assertEqual(OPEN_MPI_4.agent(["--mca", "plm_rsh_agent", "blaunch -x"]), ["blaunch", "-x"])
        self.assertEqual(OPEN_MPI_5.agent(["--prtemca", "plm_ssh_agent", "rsh"]), ["rsh"])
        self.assertEqual(OPEN_MPI_4.agent([]), ["ssh"])
        self.assertEqual(HYDRA.agent(["-launcher-exec", "/opt/rsh"]), ["/opt/rsh"])
        self.assertEqual(HYDRA.agent([]), ["ssh"])

    def test_hydras_own_words(self):
        words = self.words(HYDRA, "-np", "2", "--threads", "2", "c.toml", environment={"CIFAR10_DIR": "a b"})
        self.assertRegex(words, "^mpiexec.mpich -print-all-exitcodes -n 2 -bind-to core:2 -genv LOCKSTEP_LAUNCHER 1 "
                                "-genv LOCKSTEP_START_SECONDS 120 -genv OMP_NUM_THREADS 2 .*-genv CIFAR10_DIR a b /.*/lockstep train c.toml$")
        self.assertNotIn("-bind-to", self.words(HYDRA, "-np", "9", "c.toml"))
        self.assertEqual(self.words(HYDRA, "-np", "2", "--mpi", "-bind-to numa", "c.toml").count("-bind-to"), 1)

    def test_hydra_is_given_the_hosts_of_a_file_in_its_own_way(self):
        file = self.write("hosts", "a slots=2\nb slots=3\n")
        self.assertIn(" -hosts a:2,b:3 ", self.words(HYDRA, "--hostfile", str(file), "c.toml"))
        self.assertIn(" -hosts a:2,b:2 ", self.words(HYDRA, "--host", "a:2,b,b", "c.toml"))


class WhichMpirun(Folder):
    """That of the MPI that the program was built with, by what both say of themselves."""

    VERSIONS = {"Open MPI 4.1.4": "mpirun (Open MPI) 4.1.4", "MPICH 4.0.2": "HYDRA build details:"}

    def setUp(self):
        super().setUp()
        patched = mock.patch.dict(os.environ, PATH=f"{self.folder}/bin:/usr/bin:/bin")
        patched.start()
        self.addCleanup(patched.stop)

    def program(self, name, *lines):
        file = self.write(name, "#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
        file.chmod(0o755)
        return str(file)

    def lockstep(self, mpi, built_beside):
        return self.program("lockstep", "lockstep 1", f"mpi              {mpi}", f"mpirun           {built_beside}")

    def test_it_is_the_one_that_the_program_was_built_beside(self):
        self.program("bin/mpirun", self.VERSIONS["Open MPI 4.1.4"])
        beside = self.program("mpich/mpiexec", self.VERSIONS["MPICH 4.0.2"])
        found = detect(self.lockstep("MPICH 4.0.2", beside))
        self.assertEqual((type(found), found.path), (Hydra, beside))

    def test_where_that_is_gone_it_is_one_of_the_same_mpi_in_path(self):
        self.program("bin/mpirun", self.VERSIONS["Open MPI 4.1.4"])
        self.program("bin/mpiexec", self.VERSIONS["Open MPI 4.1.4"])
        hydra = self.program("bin/mpiexec.hydra", self.VERSIONS["MPICH 4.0.2"])
        self.assertEqual(detect(self.lockstep("Intel(R) MPI Library 2021.8 for Linux* OS", "/gone/mpiexec")).path, hydra)
        self.assertEqual(detect(self.lockstep("Open MPI 4.1.4", "/gone/mpiexec")).path, "mpirun")

    def test_a_path_that_was_switched_to_another_mpi_is_not_taken(self):
        beside = self.program("bin/mpirun", self.VERSIONS["MPICH 4.0.2"])
        self.program("bin/mpiexec", self.VERSIONS["MPICH 4.0.2"])
        openmpi = self.program("bin/mpirun.openmpi", self.VERSIONS["Open MPI 4.1.4"])
        self.assertEqual(detect(self.lockstep("Open MPI 4.1.4", beside)).path, openmpi)

    def test_without_one_of_its_mpi_the_line_says_which_is_expected(self):
        for name in ("mpirun", "mpiexec", "mpiexec.hydra", "mpirun.mpich"):
            self.program(f"bin/{name}", self.VERSIONS["Open MPI 4.1.4"])
        self.refuses(2, r"built with MPICH 4.0.2, whose mpirun is not in PATH; mpirun says of itself 'mpirun \(Open MPI\) 4.1.4': expected "
                        "that of MPICH, as after `module load`", detect, self.lockstep("MPICH 4.0.2", "/gone/mpiexec"))

    def test_a_program_that_does_not_tell_gets_mpirun(self):
        self.program("bin/mpirun", self.VERSIONS["MPICH 4.0.2"])
        self.assertIsInstance(detect(self.program("lockstep")), Hydra)
        for name in ("mpirun", "mpiexec"):
            self.program(f"bin/{name}", "something else")
        self.refuses(2, "mpirun says of itself 'something else', expected Open MPI 4.1 or 5.0 or MPICH 4", detect, self.program("lockstep"))


class WhatOpenMpiSays(unittest.TestCase):
    RULE = "-" * 74

    def sorted(self, *lines, verbose=False):
        messages = Messages(OPEN_MPI_4, verbose)
        return messages, [shown for line in lines for shown in messages.sort(line)]

    def test_its_words_are_kept_and_ours_pass(self):
        messages, shown = self.sorted(self.RULE, "mpirun noticed ...", self.RULE, "[h0:12] PMIX ERROR: x", "lockstep: no",
                                      "[h0][[48642,1],0][../btl_tcp_frag.c:135:send] writev failed: Broken pipe (32)",
                                      "peer: h1 mca_btl_tcp_frag_send: writev failed: Broken pipe (32)",
                                      "Error in MPI_Isend(140089956466752, 2048, 0x55ba89191660, 1, -5354, 94259972314816) (-12)",
                                      "MPI Error in NBC subrequest 0x55ba89191660 : 54")
        self.assertEqual(shown, ["lockstep: no"])
        self.assertIn("PMIX ERROR: x", messages.everything())

    def test_with_verbose_everything_passes(self):
        lines = [self.RULE, "mpirun noticed ...", self.RULE, "lockstep: rank 1: no"]
        self.assertEqual(self.sorted(*lines, verbose=True)[1], lines)

    def test_of_ranks_the_first_speaks(self):
        messages, shown = self.sorted("lockstep: rank 1: no", "lockstep: ranks 2, 3 on h1: no")
        self.assertEqual((messages.spoken, shown), ("lockstep: rank 1: no", []))

    def test_what_comes_before_the_start_is_held_until_then(self):
        messages, shown = self.sorted("a warning", "lockstep: launcher: started", "another")
        self.assertEqual((shown, messages.told), (["a warning", "another"], ["started"]))

    def test_mpi_that_gives_a_rank_up(self):
        self.assertTrue(self.sorted("*** An error occurred in MPI_Init_thread")[0].failed)

    def test_the_rank_and_the_host_that_are_lost(self):
        for words in ("mpirun noticed that process rank 3 with PID 0 on node h1 exited on signal 9 (Killed).",
                      "prterun noticed that process rank 3 with PID 812 on node h1 exited on signal 9 (Killed)."):
            self.assertEqual(OPEN_MPI_4.rank_ended_by_signal(words), (3, "h1", 9))
        for words in ("ORTE has lost communication with a remote daemon. HNP daemon : [[7,0],0] on node h0 Remote daemon: "
                      "[[7,0],1] on node h1 This is usually",
                      "PRTE has lost communication with a remote daemon. HNP daemon : [prterun-h0-1@0,0] on node h0 Remote daemon: "
                      "[prterun-h0-1@0,1] on node h1 This is usually"):
            self.assertEqual(OPEN_MPI_4.lost_host(words), "h1")

    def test_each_start_failure_is_named(self):
        for said, code, line in (
            ("There are not enough slots available in the system to satisfy the 3 slots that were requested", 2,
             "-np 3 is more ranks than the hosts have slots, expected fewer, more slots, or --force"),
            ("listed multiple times on the command line: MCA param: btl MCA parameters can only be listed once", 2,
             "--mpi: --mca btl is given twice, expected once"),
            ("[h:1] mpirun: SIGPIPE detected on fd 13 - aborting", 5,
             "standard output was closed while ranks wrote to it, which ended them"),
            ("mpirun was unable to launch the specified application as it could not access or execute an executable: Executable: /x/l "
             "Node: h1 while attempting", 5, "h1 cannot run /x/l: expected the program at the same path on every host"),
            ("prterun was unable to launch the specified application as it lacked permissions to execute an executable: Executable: "
             "/x/l Node: h1 while", 5, "h1 cannot run /x/l: expected the program at the same path on every host"),
            ("ssh: Could not resolve hostname gpu9: Name or service not known", 5,
             "host gpu9 has no address: expected a name that ssh knows"),
            ("[vm:1] PMIX ERROR: OUT-OF-RESOURCE in file ../src/mca/common/dstore/dstore_segment.c at line 208", 5,
             "no room for the files of Open MPI, in TMPDIR or /dev/shm, on one of the hosts"),
            ("lockstep: error while loading shared libraries: libblis.so.4: cannot open shared object file", 5,
             "a host lacks the library libblis.so.4: expected those of the program on every host"),
        ):
            self.assertEqual(OPEN_MPI_4.start_failure(said), (code, line))
        self.assertIsNone(OPEN_MPI_4.start_failure("something else"))

    def test_of_what_is_not_known_the_first_sentence(self):
        self.assertEqual(first_sentence("The frobnicator could not be found on node h1. Please see your administrator."),
                         "The frobnicator could not be found on node h1")


class WhatHydraSays(unittest.TestCase):
    KILLED = ["", "=" * 83, "=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES", "=   PID 7 RUNNING AT h0",
              "=   EXIT CODE: 9", "=" * 83,
              "[mpiexec@h0] Exit codes: [h0] 0,9", "[h1] 0", "YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)"]

    def test_on_standard_output_its_words_are_kept_and_the_ranks_pass(self):
        messages = Messages(HYDRA, False)
        shown = [shown for line in ["a line", *self.KILLED, "another"] for shown in messages.sort_output(line)]
        self.assertEqual(shown, ["a line", "", "another"])
        self.assertEqual(HYDRA.rank_ended_by_signal(messages.everything()), (1, "h0", 9))

    def test_without_statuses_the_host_of_a_rank_that_was_killed_is_told(self):
        messages = Messages(HYDRA, False)
        for line in self.KILLED[:-3]:
            messages.sort_output(line)
        self.assertIsNone(HYDRA.rank_ended_by_signal(messages.everything()))
        self.assertEqual(HYDRA.unnamed_loss(messages.everything()), "a rank on h0 was ended by SIGKILL, and MPICH did not say which")

    def test_its_librarys_words_on_standard_error_too(self):
        messages = Messages(HYDRA, False)
        lines = ["[proxy:0:0@h0] HYDU_create_process (utils/launch/launch.c:73): execvp error on file /x/l (No such file or directory)",
                 "Abort(3) on node 1 (rank 1 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 3) - process 1", "lockstep: no"]
        self.assertEqual([shown for line in lines for shown in messages.sort(line)], ["lockstep: no"])
        self.assertEqual(HYDRA.start_failure(messages.everything()),
                         (5, "a host cannot run /x/l: expected the program at the same path on every host"))

    def test_of_several_that_were_killed_it_does_not_say_which_was_the_first(self):
        self.assertEqual(HYDRA.rank_ended_by_signal("Exit codes: [h0] 9,9"), (None, "h0", 9))

    def test_hosts_without_a_network_between_them_are_told_so(self):
        messages = Messages(HYDRA, False)
        line = ("[1795894079.045751] [h0:88   :0]          select.c:549  UCX  ERROR   no active messages transport to <no debug data>: "
                "self/memory0 - Destination is unreachable")
        self.assertEqual(messages.sort_output(line), [])
        self.assertRegex(HYDRA.start_failure(messages.everything())[1], "^ranks on different hosts find no network between them: ")

    def test_ranks_that_can_share_no_memory_are_told_what_does_without(self):
        said = ("Abort(876203791) on node 0 (rank 0 in comm 0): Fatal error in internal_Init_thread: Other MPI error, error stack: "
                "init_worker(71)...............: ucx function returned with failed status(ucx_init.c 71 init_worker No resources)")
        self.assertRegex(HYDRA.start_failure(said)[1], "UCX_TLS=tcp,self does without$")

    def test_the_exit_code_is_a_ranks_where_hydra_has_joined_several(self):
        for said, own, code in (("Exit codes: [h0] 1280,768", 7, 3), ("Exit codes: [h0] 0,9 YOUR APPLICATION", 9, 137), ("", 3, 3),
                                ("Exit codes: [h0] 9,1280,0", 9, 5), ("Exit codes: [h0] 9,0,11", 11, 139),
                                ("Exit codes: [h0] 0,0 [h1] 1024,0", 4, 4)):
            self.assertEqual(HYDRA.exit_code(own, f"[mpiexec@h0] {said}"), code)

    def test_where_it_returns_0_whatever_ranks_end_with_rank_0_has_told(self):
        messages = Messages(HYDRA, False)
        for line in ("lockstep: launcher: started", "lockstep: launcher: finished 143"):
            self.assertEqual(messages.sort(line), [])
        ended = Ended(0, HYDRA, messages, Guard(120, True), None, 0.0)
        self.assertEqual((ended.code, ended.finished, ended.lost), (143, True, None))

    def test_ranks_fill_the_slots_of_the_hosts_in_turn(self):
        launcher = Hydra("mpiexec", "")
        launcher.command(Start(ranks=5, hosts=hosts.of_list("h0:2,h1:1")))
        self.assertEqual(launcher.rank_ended_by_signal("Exit codes: [h0] 0,0,0,9 [h1] 0"), (4, "h0", 9))
        self.assertEqual(launcher.rank_ended_by_signal("Exit codes: [h0] 0,0,0,0 [h1] 9"), (2, "h1", 9))
        self.assertEqual(launcher.rank_that_exited("Exit codes: [h0] 0,0,256,0 [h1] 0"), (3, 1))
