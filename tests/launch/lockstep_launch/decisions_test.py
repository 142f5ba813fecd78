"""launch/run's own decisions, in process: limits of the machine, the command line, hosts, heartbeats, the guard, and memory."""

import os
from unittest import mock

from folder import Folder
from lockstep_launch import cgroups, command_line, guard, heartbeats, hosts, machine, memory, run


class Quotas(Folder):
    """Of the group or of one above it, in both versions of cgroups."""

    def cores(self, line, **files):
        for name, text in files.items():
            self.write(name, text)
        return cgroups.quota_cores(self.write("cgroup", line + "\n"), self.folder)

    def test_version_2(self):
        for limit, cores in (("250000 100000", 2), ("50000 100000", 1), ("max 100000", None)):
            self.assertEqual(self.cores("0::/a/b", **{"a/b/cpu.max": limit}), cores)

    def test_the_least_of_a_group_and_those_above_counts(self):
        self.assertEqual(self.cores("0::/a/b", **{"a/b/cpu.max": "800000 100000", "a/cpu.max": "300000 100000"}), 3)
        self.assertEqual(self.cores("0::/a/b", **{"a/b/cpu.max": "300000 100000", "a/cpu.max": "800000 100000"}), 3)

    def test_a_containers_root_counts(self):
        self.assertEqual(self.cores("0::/elsewhere", **{"cpu.max": "400000 100000"}), 4)

    def test_version_2_beside_version_1(self):
        self.assertEqual(self.cores("0::/a", **{"unified/a/cpu.max": "200000 100000"}), 2)

    def test_version_1(self):
        files = {"cpu,cpuacct/a/cpu.cfs_quota_us": "600000", "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}
        self.assertEqual(self.cores("5:cpu,cpuacct:/a", **files), 6)

    def test_minus_one_is_no_quota(self):
        self.assertIsNone(self.cores("5:cpu:/", **{"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}))

    def test_other_controllers_do_not_count(self):
        self.assertIsNone(self.cores("5:cpuset:/a", **{"cpuset/a/cpu.max": "100000 100000"}))

    def test_openmps_settings_say_nothing_of_the_cpus(self):
        with mock.patch.dict(os.environ, OMP_NUM_THREADS="99", OMP_THREAD_LIMIT="1"):
            self.assertEqual(machine.affinity_cpus(), len(os.sched_getaffinity(0)))


class CommandLine(Folder):
    def test_nonsense(self):
        for words in (["-np", "0", "c"], ["-np", "abc", "c"], ["-np", "-1", "c"], ["-np", "2.5", "c"], ["-np", "123456", "c"]):
            self.refuses(2, "-np is '.*', expected a whole number, at least 1", command_line.parse, words)
        for words, pattern in (
            (["--threads", "0", "c"], "--threads is '0', expected a whole number"),
            (["--retries=-1", "c"], "--retries is '-1', expected a whole number, at least 0"),
            (["-np"], "-np has no value"),
            (["-np", "2"], "no CONFIG, expected"),
            (["--wrong", "c"], "unknown option '--wrong' before CONFIG"),
            (["--bind", "socket", "c"], "--bind is 'socket', expected core or none"),
            (["--hostfile", "nowhere", "c"], "--hostfile nowhere: no such file"),
            (["--host", "a,,b", "c"], "--host is 'a,,b', expected HOST:SLOTS"),
            (["--mpi", "--mca 'a", "c"], "--mpi is '--mca 'a', no closing quotation"),
            (["c.toml", "--np", "2", "-np", "2"], "-np comes after c.toml, expected it before: .* -np VALUE c.toml"),
        ):
            self.refuses(2, pattern, command_line.parse, words)

    def test_what_can_be_a_file_is_trained(self):
        self.assertEqual(command_line.parse(["c.toml", "--x"]).words, ["train", "c.toml", "--x"])
        self.assertEqual(command_line.parse(["eval", "model"]).words, ["eval", "model"])
        self.assertEqual(command_line.parse(["evla", "model"]).words, ["evla", "model"])


class Hosts(Folder):
    def file(self, text):
        return hosts.of_file(str(self.write("hosts", text)))

    def test_a_file(self):
        found = self.file("# ours\na slots=2 # big\n\nb max_slots=4 slots = 3\nc")
        self.assertEqual(found, [hosts.Host("a", 2), hosts.Host("b", 3), hosts.Host("c", None)])
        self.assertIsNone(hosts.total_slots(found))

    def test_what_mpirun_would_not_take_is_named_with_its_line(self):
        for text, pattern in (
            ("a slots=2\nb slots=2\r\n", "hosts:2: the line ends in a carriage return, as Windows has it, expected Unix line ends"),
            ("a:2\n", "hosts:1: 'a:2' is written as for --host, expected 'a slots=2'"),
            ("a slots=x\n", "hosts:1: found 'a slots=x', expected lines of 'HOST slots=N'"),
            ("a slots=0\n", "hosts:1: found 'a slots=0', expected"),
            ("a 2\n", "hosts:1: found 'a 2', expected"),
            ("# none\n", "hosts: no host in it, expected"),
        ):
            self.refuses(2, pattern, self.file, text)

    def test_a_list(self):
        found = hosts.of_list("a:2,b,b,c:*")
        self.assertEqual(found, [hosts.Host("a", 2), hosts.Host("b", 2), hosts.Host("c", None)])
        self.assertEqual(hosts.as_list(found[:2]), "a:2,b:2")

    def test_hosts_that_share_a_first_label(self):
        self.assertTrue(hosts.share_a_label(hosts.of_list("gpu1.east,gpu1.west")))
        self.assertFalse(hosts.share_a_label(hosts.of_list("gpu1.east,gpu2.east")))
        self.assertFalse(hosts.share_a_label(hosts.of_list("10.0.0.1,10.0.0.2")))

    def test_a_name_may_lack_its_domain(self):
        self.assertTrue(hosts.same("gpu1", "gpu1.east"))
        self.assertTrue(hosts.same("gpu1.east", "gpu1"))
        self.assertFalse(hosts.same("gpu1.east", "gpu1.west"))
        self.assertFalse(hosts.same("10.0.0.1", "10"))


class Heartbeats(Folder):
    def beat(self, rank, text):
        self.write(f"rank-{rank}", text.ljust(999) + "\n")

    def test_places(self):
        self.beat(0, "7 12 h0 reduction\n10.0.0.1\n")
        self.beat(2, "7 11 h1.east forward and backward\n")
        self.beat(3, "8 12 h1.east update\n")
        self.write("rank-4", "")
        places = heartbeats.Places(self.folder, 0.0)
        self.assertEqual(places.of_rank(0), " on h0, at step 12 in reduction,")
        self.assertEqual(places.of_rank(9), "")
        self.assertEqual(places.of_host("h1"), " with ranks 2, 3, at step 11 in forward and backward")
        self.assertEqual(places.of_host("h0"), " with rank 0, at step 12 in reduction")
        self.assertEqual(places.of_host("h7"), "")

    def test_those_of_an_earlier_run_do_not_count(self):
        self.beat(0, "7 12 h0 reduction\n")
        self.assertEqual(heartbeats.Places(self.folder, os.stat(self.folder / "rank-0").st_mtime + 1).of_rank(0), "")

    def guard(self, start_seconds=120):
        return guard.Guard(start_seconds, trains=True)

    def turns(self, it, seconds, spoken=False, beats=False):
        """What it does in so many seconds: [(second, action)]."""
        done = []
        for turn in range(1, int(2 * seconds) + 1):
            if beats:
                self.beat(0, f"{turn} 1 h0 reduction")
            action = it.turn(spoken)
            if action:
                done.append((turn / 2, action))
        return done

    def test_ranks_that_do_not_start_are_ended(self):
        it = self.guard(20)
        self.assertEqual(self.turns(it, 29), [(20.5, "TERM")])
        self.assertEqual(it.reason, "have not started within 20 s (--start-seconds)")
        self.assertEqual(self.turns(it, 1.5)[0][1], "KILL")

    def test_the_start_may_have_no_limit(self):
        self.assertEqual(self.turns(self.guard(0), 1000), [])

    def test_the_set_up_is_granted_ten_times_the_patience(self):
        it = self.guard(20)
        it.hear("started")
        self.assertEqual(self.turns(it, 500), [])
        it.hear("watched 10 4 ")
        self.assertEqual(self.turns(it, 105)[:1], [(100.5, "TERM")])
        self.assertEqual(it.reason, "have not come through the set-up")

    def test_silent_ranks_are_ended_as_late_as_their_watchdogs_would(self):
        for seconds, limit, second in ((10, 4, 5.5), (60, 49, 50.5), (2, 0.8, 5.5)):
            it = self.guard()
            it.hear("started")
            it.hear(f"watched {seconds} {limit} {self.folder}")
            self.assertEqual(self.turns(it, 100, beats=True), [])
            self.assertEqual(self.turns(it, limit + 5)[:1], [(second, "TERM")])
            self.assertRegex(it.reason, r"^have shown no sign of life for \d+ s$")

    def test_mpirun_that_hangs_after_a_rank_has_spoken_is_killed(self):
        for seconds, second in ((10, 5.0), (60, 10.0), (16, 8.0)):
            it = self.guard()
            it.hear(f"watched {seconds} 4 {self.folder}")
            self.assertEqual(self.turns(it, 20, spoken=True)[0], (second - 0.5, "KILL"))

    def test_no_watchdog_no_guard(self):
        it = self.guard()
        it.hear(f"watched 0 0 {self.folder}")
        self.turns(it, 5, beats=True)
        self.assertEqual(self.turns(it, 1000), [])

    def test_where_the_folder_cannot_be_seen_no_beat_is_missed(self):
        it = self.guard()
        it.hear(f"watched 10 4 {self.folder}/elsewhere")
        self.assertEqual(self.turns(it, 1000), [])

    def test_the_host_that_has_been_silent_the_longest(self):
        it = self.guard()
        it.hear(f"watched 60 49 {self.folder}")
        for turn in range(12):
            for rank in range(6):
                self.beat(rank, f"{turn if rank < 4 else min(turn, 3)} 1 h{rank // 2} reduction")
            it.turn(False)
            if turn == 3:
                self.assertIsNone(it.lost_host("h0"))
        self.assertEqual(it.lost_host("h0"), "h2")

    def test_of_two_hosts_the_other_one_is_lost(self):
        it = self.guard()
        it.hear(f"watched 60 49 {self.folder}")
        self.beat(0, "1 1 h0 reduction")
        self.beat(1, "1 1 h1 reduction")
        self.assertEqual(it.lost_host("h0"), "h1")

    def test_other_subcommands_are_not_watched(self):
        it = guard.Guard(20, trains=False)
        it.hear("started")
        self.assertEqual(self.turns(it, 2000), [])


class Memory(Folder):
    def kills(self, line):
        self.write("vmstat", "nr_free_pages 5\noom_kill 7\n")
        return memory.Kills(self.write("cgroup", line), self.folder, self.folder / "vmstat")

    def test_version_2(self):
        self.write("a/b/memory.events", "oom 0\noom_kill 1\n")
        self.write("a/memory.events", "oom_kill 1\n")
        self.write("a/b/memory.max", "max\n")
        self.write("a/memory.max", str(3 << 29))
        kills = self.kills("0::/a/b\n")
        self.assertIsNone(kills.reason())
        self.write("a/b/memory.events", "oom 3\noom_kill 2\n")
        self.write("a/memory.events", "oom_kill 2\n")
        self.assertEqual(kills.reason(), f"memory ran out, of which {self.folder}/a has 1.5 GiB")

    def test_version_1(self):
        self.write("memory/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n")
        self.write("memory/a/memory.limit_in_bytes", str(300 << 20))
        kills = self.kills("4:memory:/a\n")
        self.write("memory/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
        self.assertEqual(kills.reason(), f"memory ran out, of which {self.folder}/memory/a has 300 MiB")

    def test_the_machines(self):
        kills = self.kills("0::/\n")
        self.assertIsNone(kills.reason())
        self.write("vmstat", "oom_kill 8\n")
        self.assertRegex(kills.reason(), r"^memory ran out, of which the machine has [\d.]+ [GM]iB$")


class Room(Folder):
    """TMPDIR is looked at before anything starts."""

    def in_folder(self, folder):
        with mock.patch.dict(os.environ, TMPDIR=str(folder)):
            run.require_room(16 << 20)

    def test_enough(self):
        self.in_folder(self.folder)

    def test_none(self):
        self.refuses(2, "^TMPDIR is .*/gone, which is not a folder, expected one", self.in_folder, self.folder / "gone")

    def test_too_little(self):
        with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=3 << 20)):
            self.refuses(2, "^TMPDIR is .*, which has 3072 KiB left, expected 16384 KiB for Open MPI's files", self.in_folder, self.folder)
