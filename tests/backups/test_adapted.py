"""A dump of MariaDB is loaded into another database: nothing in it may reach the first one, or begin to run."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backups.programs import transfer

LONGEST_EDITED, adapted = transfer("adapted").LONGEST_EDITED, transfer("adapted").adapted

# Line by line as mariadb-dump writes it, but for line breaks after a backslash, which are none.
DUMP = b"""/*M!999999\\- enable the sandbox mode */
ALTER DATABASE `sh``op` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;
CREATE TABLE `t` (
  `id` int(11) NOT NULL DEFAULT nextval(`sh``op`.`tickets`),
  `n` varchar(9) DEFAULT concat(nextval(`sh``op`.`a`),nextval(`sh``op`.`b`)),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `t` VALUES
(1,'  `id` DEFAULT nextval(`sh``op`.`tickets`)'),
(2,'\\nALTER DATABASE `sh``op` CHARACTER SET x');
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER \
`sh``op`.`a` BEFORE INSERT ON sh`op.t FOR EACH ROW
SET NEW.n = 1 */;;
/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT \
`e ``ENABLE` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' \
ON COMPLETION PRESERVE ENABLE COMMENT 'ENABLE' DO SELECT 1 */ ;;
/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT \
`f` ON SCHEDULE AT '2030-01-01 03:00:00' \
ON COMPLETION NOT PRESERVE DISABLE DO SELECT 'ON COMPLETION PRESERVE ENABLE' */ ;;
"""
WANTED = b"""/*M!999999\\- enable the sandbox mode */
ALTER DATABASE `new` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;
CREATE TABLE `t` (
  `id` int(11) NOT NULL DEFAULT nextval(`new`.`tickets`),
  `n` varchar(9) DEFAULT concat(nextval(`new`.`a`),nextval(`new`.`b`)),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `t` VALUES
(1,'  `id` DEFAULT nextval(`sh``op`.`tickets`)'),
(2,'\\nALTER DATABASE `sh``op` CHARACTER SET x');
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `a` BEFORE INSERT ON t FOR EACH ROW
SET NEW.n = 1 */;;
/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT \
`e ``ENABLE` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' \
ON COMPLETION PRESERVE DISABLE ON SLAVE COMMENT 'ENABLE' DO SELECT 1 */ ;;
/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT \
`f` ON SCHEDULE AT '2030-01-01 03:00:00' \
ON COMPLETION NOT PRESERVE DISABLE DO SELECT 'ON COMPLETION PRESERVE ENABLE' */ ;;
"""


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    for start, end in zip([0, *ends], ends, strict=False):
        yield data[start:end]


@given(st.lists(st.integers(0, len(DUMP)), max_size=40))
def test_it_names_the_new_database_wherever_it_is_cut(cuts: list[int]) -> None:
    assert b"".join(adapted(pieces(DUMP, cuts), "sh`op", "new")) == WANTED


@pytest.mark.parametrize("size", [LONGEST_EDITED - 1, LONGEST_EDITED + 1, 5 * LONGEST_EDITED])
@pytest.mark.parametrize("block", [1 << 16, 1 << 20])
def test_a_row_longer_than_what_is_kept_passes_unchanged(size: int, block: int) -> None:
    row = b"(1,'" + b"  `x` DEFAULT (`shop`.`y`)" + b"0" * size + b"'),\n"
    column = b"  `id` int(11) DEFAULT nextval(`shop`.`s`),\n"
    text = column + row + column
    cuts = list(range(0, len(text), block))
    found = b"".join(adapted(pieces(text, cuts), "shop", "new"))
    assert found == column.replace(b"shop", b"new") + row + column.replace(b"shop", b"new")
