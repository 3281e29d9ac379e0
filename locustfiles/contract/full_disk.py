"""What the system says where there is no more room."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of what a disk or a quota holds
