from spack.package import *


class Lockstep(CMakePackage):
    """Trains neural networks on many MPI ranks so that a run is the same run wherever it runs: the same weights, bit for bit.

    From the repository's folder: spack repo add launch/spack && spack develop --path "$PWD" lockstep@0.1.0 in an environment, then
    spack add lockstep@0.1.0 && spack install --test=root
    """

    license("MIT")
    version("0.1.0")

    variant("tests", default=False, description="Build the unit tests too")
    variant("pictures", default=True, description="What launch/plot and launch/report need")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    generator("ninja")

    depends_on("mpi@3.1:")
    depends_on("blis@0.9:1 threads=openmp")
    depends_on("cli11@2.1:")
    depends_on("tomlplusplus@3.3:")
    depends_on("fmt@9:10")
    depends_on("nlohmann-json@3.11:")
    depends_on("xxhash@0.8:")
    depends_on("random123@1.14:")
    depends_on("zlib-api")
    depends_on("minizip")
    depends_on("libpng")
    depends_on("python@3.11:", type=("build", "run"))
    depends_on("py-matplotlib", type="run", when="+pictures")
    depends_on("py-jinja2", type="run", when="+pictures")
    depends_on("googletest", type="build", when="+tests")
    depends_on("py-pytest", type="build", when="+tests")

    conflicts("%gcc@:11", msg="C++20 as GCC 12 has it")

    def cmake_args(self):
        return [
            self.define_from_variant("LOCKSTEP_TESTS", "tests"),
            # libcsv is no package of Spack's: it is fetched, or taken from LOCKSTEP_MIRROR.
            self.define("LOCKSTEP_FETCH", True),
            self.define("MPI_CXX_COMPILER", self.spec["mpi"].mpicxx),
        ]

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_install(self):
        self.test_published_weights()

    def test_published_weights(self):
        """a short run ends with the published weights"""
        out = which(self.prefix.bin.lockstep)("selftest", "circle", "--whole", output=str.split, error=str.split)
        assert "gave the published weights" in out, out
