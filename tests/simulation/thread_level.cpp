// SMPI calls a program's ranks one at a time, so that a rank's other threads may do as they like while they
// leave MPI alone: MPI_THREAD_FUNNELED, which the program asks for at least. SMPI 3.32 gives that, and says
// MPI_THREAD_SINGLE. The linker's --wrap puts this in between; MPI_Query_thread still says single, so that
// nothing is summed in the background.
#include <mpi.h>

extern "C" {

int __real_MPI_Init_thread(int* argc, char*** argv, int required, int* provided);

int __wrap_MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
  const int result = __real_MPI_Init_thread(argc, argv, required, provided);
  *provided = MPI_THREAD_FUNNELED;
  return result;
}

}  // extern "C"
