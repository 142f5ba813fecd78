"""What the Python scripts of launch/ are made of. From the bottom up:

script        a script's name, its help, and its one line where it fails
cgroups       the limits that Linux sets for this process's group
machine       the cores that this process has
hosts         the hosts of a job: files and lists of them, which answer, and the rest where one is lost
networks      those of this host that lead to no other
mpirun        what starts the ranks: each MPI's launcher, its options in its own words, and what it says
messages      which lines of a job are mpirun's own
processes     the processes of this host
heartbeats    the signs of life that a training run's ranks leave in its folder
guard         when a job that shows none has to be ended
memory        whether a process was killed because memory had run out
supervision   one mpirun job, from its start to its end
command_line  the options of launch/run
run           launch/run

For what draws and describes:

packages      matplotlib and jinja2, which not every script needs
files         files that are replaced whole
tables        CSV tables with a header
run_tables    the tables that training, sweeps and `lockstep activations` write
eval_tables   those of `lockstep eval`
colours       the palette of pictures and pages
pictures      each kind of picture, by matplotlib
words         how numbers are said
plot          launch/plot
report        launch/report
scaling       launch/scaling
"""
