# Cross-compiling for 64-bit Arm: Debian's compiler, and the arm64 packages that make-root has put into root/ of the build folder.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# Headers, libraries and packages are the root's alone. So is the C library: a program that is linked for one and meets
# another starts, and hangs with its first thread.
set(LOCKSTEP_ROOT ${CMAKE_CURRENT_LIST_DIR}/../../build-arm64/root)
get_filename_component(LOCKSTEP_ROOT ${LOCKSTEP_ROOT} ABSOLUTE)
set(CMAKE_SYSROOT ${LOCKSTEP_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${LOCKSTEP_ROOT})

# mpicxx of the root can't run here, and the machine's own would answer with its own paths: pkg-config knows the root's.
set(MPI_SKIP_COMPILER_WRAPPER ON)
set(ENV{PKG_CONFIG_LIBDIR} ${LOCKSTEP_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${LOCKSTEP_ROOT})
