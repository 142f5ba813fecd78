# Writes OUTPUT, which tells the program what is checked out in SOURCE. Run with every build; leaves OUTPUT alone where
# nothing has changed. A repository that SOURCE merely lies in is not Lockstep's.
set(LOCKSTEP_COMMIT unknown)
find_package(Git QUIET)
if(GIT_FOUND)
  get_filename_component(above ${SOURCE} DIRECTORY)
  set(ENV{GIT_CEILING_DIRECTORIES} ${above})
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --abbrev=12 "--exclude=*" "--dirty=, modified"
                  WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(found)
    set(LOCKSTEP_COMMIT ${found})
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/commit.cpp.in ${OUTPUT} @ONLY)
