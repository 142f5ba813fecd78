# -DLOCKSTEP_FETCH=ON: a library that is not found is downloaded and built as a part of the program, for those who may install none.
# MPI, the compiler and, for BLIS, make and Python are the machine's.
#
# LOCKSTEP_MIRROR is a folder's URL to take the archives from instead (file:///shared/archives), where they have the names below.
# Each is the archive that its authors publish, libcsv's that of Debian; the SHA-256 decides what is accepted.
include(FetchContent)
include(ExternalProject)
enable_language(C)

# lockstep_source(FILE ADDRESS SHA256): sets `from`, the words for what downloads it.
function(lockstep_source file address sha256)
  set(from ${address})
  if(LOCKSTEP_MIRROR)
    set(from ${LOCKSTEP_MIRROR}/${file})
  endif()
  set(from URL ${from} URL_HASH SHA256=${sha256} DOWNLOAD_EXTRACT_TIMESTAMP TRUE PARENT_SCOPE)
endfunction()

# lockstep_download(NAME FILE ADDRESS SHA256): unpacks it; NAME_SOURCE_DIR is where.
macro(lockstep_download name)
  lockstep_source(${ARGN})
  FetchContent_Declare(${name} ${from} SOURCE_SUBDIR none) # its own CMakeLists.txt is not read
  FetchContent_MakeAvailable(${name})
endmacro()

# lockstep_headers(TARGET FOLDER): a library of headers alone.
function(lockstep_headers target folder)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE ${folder})
endfunction()

# lockstep_compiled(TARGET FOLDER INCLUDE SOURCE...): a static library of sources in FOLDER; INCLUDE is for those who use it.
function(lockstep_compiled target folder include)
  list(TRANSFORM ARGN PREPEND ${folder}/)
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${ARGN})
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  target_include_directories(${target} SYSTEM PUBLIC ${include})
  target_compile_options(${target} PRIVATE -w)
endfunction()

macro(lockstep_fetch_fmt)
  lockstep_download(fmt_source fmt-10.1.1.tar.gz https://github.com/fmtlib/fmt/archive/refs/tags/10.1.1.tar.gz
                    78b8c0a72b1c35e4443a7e308df52498252d1cefc2b08c9a97bc9ee6cfe61f8b)
  lockstep_compiled(fmt ${fmt_source_SOURCE_DIR} ${fmt_source_SOURCE_DIR}/include src/format.cc src/os.cc)
  add_library(fmt::fmt ALIAS fmt)
endmacro()

macro(lockstep_fetch_json)
  lockstep_download(json_source json-3.11.3.tar.gz https://github.com/nlohmann/json/archive/refs/tags/v3.11.3.tar.gz
                    0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406)
  lockstep_headers(nlohmann_json::nlohmann_json ${json_source_SOURCE_DIR}/include)
endmacro()

macro(lockstep_fetch_toml)
  lockstep_download(toml_source tomlplusplus-3.4.0.tar.gz https://github.com/marzer/tomlplusplus/archive/refs/tags/v3.4.0.tar.gz
                    8517f65938a4faae9ccf8ebb36631a38c1cadfb5efa85d9a72e15b9e97d25155)
  lockstep_headers(tomlplusplus::tomlplusplus ${toml_source_SOURCE_DIR}/include)
endmacro()

macro(lockstep_fetch_cli11)
  lockstep_download(cli11_source CLI11-2.4.2.tar.gz https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
                    f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)
  lockstep_headers(CLI11::CLI11 ${cli11_source_SOURCE_DIR}/include)
endmacro()

macro(lockstep_fetch_xxhash)
  lockstep_download(xxhash_source xxHash-0.8.3.tar.gz https://github.com/Cyan4973/xxHash/archive/refs/tags/v0.8.3.tar.gz
                    aae608dfe8213dfd05d909a57718ef82f30722c392344583d3f39050c7f29a80)
  set(XXHASH_INCLUDE_DIR ${xxhash_source_SOURCE_DIR})
endmacro()

macro(lockstep_fetch_random123)
  lockstep_download(random123_source random123-1.14.0.tar.gz
                    https://github.com/DEShawResearch/random123/archive/refs/tags/v1.14.0.tar.gz
                    effafd8656b18030b2a5b995cd3650c51a7c45052e6e1c21e48b9fa7a59d926e)
  set(RANDOM123_INCLUDE_DIR ${random123_source_SOURCE_DIR}/include)
endmacro()

macro(lockstep_fetch_csv)
  lockstep_download(csv_source libcsv-3.0.3.tar.gz http://deb.debian.org/debian/pool/main/libc/libcsv/libcsv_3.0.3+dfsg.orig.tar.gz
                    06fddfaca720a4be7603bad63eb1833bca5b6c5a69b42b1c518a02cda2a73aef)
  lockstep_compiled(csv ${csv_source_SOURCE_DIR} ${csv_source_SOURCE_DIR} libcsv.c)
  set(CSV_INCLUDE_DIR ${csv_source_SOURCE_DIR})
  set(CSV_LIBRARY csv)
endmacro()

# zlib, and minizip, which comes with it.
macro(lockstep_download_zlib)
  lockstep_download(zlib_source zlib-1.3.1.tar.gz https://github.com/madler/zlib/archive/refs/tags/v1.3.1.tar.gz
                    17e88863f3600672ab49182f217281b6fc4d3c762bde361935e436a95214d05c)
endmacro()

macro(lockstep_fetch_zlib)
  lockstep_download_zlib()
  lockstep_compiled(zlib ${zlib_source_SOURCE_DIR} ${zlib_source_SOURCE_DIR} adler32.c compress.c crc32.c deflate.c gzclose.c gzlib.c
                    gzread.c gzwrite.c infback.c inffast.c inflate.c inftrees.c trees.c uncompr.c zutil.c)
  target_compile_definitions(zlib PRIVATE Z_HAVE_UNISTD_H)
  set(ZLIB_INCLUDE_DIR ${zlib_source_SOURCE_DIR})
  set(ZLIB_LIBRARY zlib)
endmacro()

macro(lockstep_fetch_minizip)
  lockstep_download_zlib()
  lockstep_compiled(minizip ${zlib_source_SOURCE_DIR}/contrib/minizip ${zlib_source_SOURCE_DIR}/contrib ioapi.c unzip.c zip.c)
  target_include_directories(minizip SYSTEM PRIVATE ${ZLIB_INCLUDE_DIR})
  target_link_libraries(minizip PUBLIC ${ZLIB_LIBRARY})
  set(MINIZIP_INCLUDE_DIR ${zlib_source_SOURCE_DIR}/contrib)
  set(MINIZIP_LIBRARY minizip)
endmacro()

macro(lockstep_fetch_png)
  lockstep_download(png_source libpng-1.6.48.tar.gz https://github.com/pnggroup/libpng/archive/refs/tags/v1.6.48.tar.gz
                    b17e99026055727e8cba99160c3a9a7f9af788e9f786daeadded5a42243f1dd0)
  configure_file(${png_source_SOURCE_DIR}/scripts/pnglibconf.h.prebuilt ${png_source_SOURCE_DIR}/pnglibconf.h COPYONLY)
  lockstep_compiled(png ${png_source_SOURCE_DIR} ${png_source_SOURCE_DIR} png.c pngerror.c pngget.c pngmem.c pngpread.c pngread.c
                    pngrio.c pngrtran.c pngrutil.c pngset.c pngtrans.c pngwio.c pngwrite.c pngwtran.c pngwutil.c)
  target_compile_definitions(png PRIVATE PNG_INTEL_SSE_OPT=0 PNG_ARM_NEON_OPT=0)
  target_include_directories(png SYSTEM PRIVATE ${ZLIB_INCLUDE_DIR})
  target_link_libraries(png PUBLIC ${ZLIB_LIBRARY} m)
  add_library(PNG::PNG ALIAS png)
endmacro()

macro(lockstep_fetch_gtest)
  lockstep_download(gtest_source googletest-1.16.0.tar.gz https://github.com/google/googletest/archive/refs/tags/v1.16.0.tar.gz
                    2f54382b5d13d6cd0be2afc524f1e510d37f8ba78c2d439c5bea64ef37e30d01)
  set(INSTALL_GTEST OFF)
  add_subdirectory(${gtest_source_SOURCE_DIR} ${gtest_source_BINARY_DIR} EXCLUDE_FROM_ALL SYSTEM)
endmacro()

# By its own build, with the kernels of every processor of this machine's kind: some minutes.
macro(lockstep_fetch_blis)
  lockstep_source(blis-1.1.tar.gz https://github.com/flame/blis/archive/refs/tags/1.1.tar.gz
                  847c035809b8994c077ade737a4813601db96c4cf0d903d08ba6a9b8ee0fe03e)
  set(family x86_64)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(family arm64)
  endif()
  # BLIS takes what a compiler is from what it says of itself, where Debian's cc has no name. Then BLIS looks for one.
  execute_process(COMMAND ${CMAKE_C_COMPILER} --version OUTPUT_VARIABLE said ERROR_QUIET)
  set(compilers)
  if(said MATCHES "gcc|GCC|clang")
    set(compilers CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER})
  endif()
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  set(blis ${CMAKE_BINARY_DIR}/blis)
  ExternalProject_Add(blis_build ${from} PREFIX ${blis} INSTALL_DIR ${blis} BUILD_IN_SOURCE TRUE
    CONFIGURE_COMMAND ./configure --prefix=<INSTALL_DIR> --enable-threading=openmp --disable-shared --disable-blas
                      ${compilers} ${family}
    BUILD_COMMAND make -j ${cores} INSTALL_COMMAND make install BUILD_BYPRODUCTS ${blis}/lib/libblis.a
    LOG_CONFIGURE TRUE LOG_BUILD TRUE LOG_INSTALL TRUE LOG_OUTPUT_ON_FAILURE TRUE)
  file(MAKE_DIRECTORY ${blis}/include/blis)
  set(BLIS_INCLUDE_DIR ${blis}/include/blis)
  set(BLIS_LIBRARY ${blis}/lib/libblis.a m pthread)
endmacro()
