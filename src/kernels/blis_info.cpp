#include "kernels/blis_info.h"

#include <blis.h>

namespace lockstep::kernels {

std::string blis_version() { return bli_info_get_version_str(); }

std::string kernel_family() {
  bli_init();
  return bli_arch_string(bli_arch_query_id());
}

}  // namespace lockstep::kernels
