-- What is hard to dump and to put back. It is loaded into whichever database is chosen.
SET NAMES utf8mb4;
SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION';
SET SESSION foreign_key_checks = 0;

CREATE TABLE kinds (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  tiny TINYINT, yes BOOLEAN, bits BIT(17), money DECIMAL(30, 10), near FLOAT, far DOUBLE,
  day DATE NOT NULL DEFAULT '0000-00-00', moment DATETIME(6) NULL, stamp TIMESTAMP NULL, clock TIME(3), y YEAR,
  letters CHAR(8) CHARACTER SET latin1, words VARCHAR(200) CHARACTER SET utf8mb4, essay LONGTEXT CHARACTER SET utf8mb4,
  raw LONGBLOB, fixed BINARY(6), free VARBINARY(300), colour ENUM('red', 'it''s', 'größe', ''), many SET('a', 'b', 'c'),
  doc JSON, spot POINT, address INET6, name_of_it UUID,
  twice INT GENERATED ALWAYS AS (tiny * 2) STORED, thrice INT GENERATED ALWAYS AS (tiny * 3) VIRTUAL,
  UNIQUE KEY by_words (words), KEY by_thrice (thrice), FULLTEXT KEY by_essay (essay), CHECK (tiny < 120)
) ENGINE=InnoDB AUTO_INCREMENT=1000 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='it''s "odd" `here` \\ 😀';

INSERT INTO kinds (tiny, yes, bits, money, near, far, day, moment, stamp, clock, y, letters, words, essay, raw, fixed,
  free, colour, many, doc, spot, address, name_of_it) VALUES
  (1, TRUE, b'10101010101010101', 12345678901234567890.0123456789, 1.5, 1e300, '0000-00-00', '2024-02-29 23:59:59.999999',
   '2038-01-19 03:14:07', '-838:59:58.999', 2155, 'caf', 'emoji 😀 and ''quotes'' "two" `three` \\', 'line\nline\r\ntab\tend\0nul',
   x'00ff00fe5c27220a0d1a00', x'000102030405', x'', 'it''s', 'a,c', '{"a": [1, null, "😀"]}', ST_GeomFromText('POINT(1 2)'),
   '2001:db8::ff', '123e4567-e89b-12d3-a456-426655440000'),
  (-128, FALSE, b'0', -0.0000000001, -0.0, -1e-300, '2024-00-00', '0000-00-00 00:00:00', NULL, '00:00:00', 0000, '', '', '',
   '', x'', NULL, '', '', '[]', NULL, '::1', NULL),
  (NULL, NULL, NULL, NULL, NULL, NULL, '9999-12-31', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL);
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION';
INSERT INTO kinds (id, words) VALUES (0, 'the row zero');

CREATE TABLE `odd "name" with 'quotes', ``ticks`` and größe 漢字` (
  `a column``s name` INT PRIMARY KEY, `select` TEXT, `%percent%` INT DEFAULT 7
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO `odd "name" with 'quotes', ``ticks`` and größe 漢字` VALUES (1, 'one', 1), (2, NULL, NULL);

CREATE TABLE hen (id INT PRIMARY KEY, egg INT, mother INT,
  CONSTRAINT hatched FOREIGN KEY (egg) REFERENCES egg (id) ON DELETE CASCADE,
  CONSTRAINT born FOREIGN KEY (mother) REFERENCES hen (id) ON DELETE SET NULL) ENGINE=InnoDB;
CREATE TABLE egg (id INT PRIMARY KEY, hen INT,
  CONSTRAINT laid FOREIGN KEY (hen) REFERENCES hen (id) ON UPDATE CASCADE) ENGINE=InnoDB;
INSERT INTO hen VALUES (1, 1, NULL), (2, 2, 1);
INSERT INTO egg VALUES (1, 2), (2, 1);
SET SESSION foreign_key_checks = 1;

CREATE TABLE log (id BIGINT AUTO_INCREMENT PRIMARY KEY, said TEXT) ENGINE=InnoDB;
CREATE TABLE by_year (id INT, y INT, PRIMARY KEY (id, y)) ENGINE=InnoDB PARTITION BY RANGE (y) (
  PARTITION old VALUES LESS THAN (2000), PARTITION new VALUES LESS THAN MAXVALUE);
INSERT INTO by_year VALUES (1, 1999), (2, 2000), (3, 2024);
CREATE TABLE in_aria (id INT PRIMARY KEY, t TEXT) ENGINE=Aria;
INSERT INTO in_aria VALUES (1, 'crash-safe');
CREATE TABLE in_myisam (id INT PRIMARY KEY, t TEXT) ENGINE=MyISAM;
INSERT INTO in_myisam VALUES (1, 'old');
CREATE TABLE hidden (id INT PRIMARY KEY, secret INT INVISIBLE DEFAULT 3);
INSERT INTO hidden (id, secret) VALUES (1, 4);
CREATE TABLE nothing (id INT PRIMARY KEY) ENGINE=InnoDB AUTO_INCREMENT=77;

CREATE SEQUENCE tickets START WITH 100 INCREMENT BY 5 CACHE 10;
SELECT NEXTVAL(tickets);
CREATE TABLE ticketed (id INT PRIMARY KEY DEFAULT NEXTVAL(tickets), t TEXT);
INSERT INTO ticketed (t) VALUES ('first'), ('second');

CREATE VIEW plain AS SELECT id, words FROM kinds WHERE words IS NOT NULL;
CREATE VIEW z_counted AS SELECT COUNT(*) AS n FROM kinds;
-- By name it comes before those that it stands on.
CREATE VIEW a_view_on_views AS SELECT p.id, p.words, z.n FROM plain p JOIN z_counted z ON z.n > 0;
CREATE SQL SECURITY INVOKER VIEW `view ``odd``` AS SELECT `a column``s name` AS `x``y` FROM
  `odd "name" with 'quotes', ``ticks`` and größe 漢字` WITH CASCADED CHECK OPTION;

DELIMITER //
CREATE TRIGGER before_kinds BEFORE INSERT ON kinds FOR EACH ROW
BEGIN
  -- a comment; with a semicolon
  IF NEW.tiny IS NULL THEN SET NEW.tiny = 5; END IF;
END //
CREATE TRIGGER after_kinds AFTER UPDATE ON kinds FOR EACH ROW
  INSERT INTO log (said) VALUES (CONCAT('now ', NEW.words, ' 😀; and "so" on')) //
CREATE TRIGGER after_kinds_too AFTER UPDATE ON kinds FOR EACH ROW FOLLOWS after_kinds
  INSERT INTO log (said) VALUES ('second') //
CREATE TRIGGER `odd ``trigger```  BEFORE DELETE ON `odd "name" with 'quotes', ``ticks`` and größe 漢字` FOR EACH ROW
  INSERT INTO log (said) VALUES (OLD.`select`) //
CREATE PROCEDURE add_row(IN what VARCHAR(50), OUT made BIGINT) COMMENT 'it''s odd'
BEGIN
  INSERT INTO log (said) VALUES (what);
  SET made = LAST_INSERT_ID();
END //
CREATE FUNCTION doubled(n INT) RETURNS INT DETERMINISTIC SQL SECURITY INVOKER RETURN n * 2 //
CREATE FUNCTION `größe "of" ``it```(t TEXT CHARACTER SET utf8mb4) RETURNS TEXT CHARACTER SET utf8mb4 DETERMINISTIC
  RETURN CONCAT('😀', t) //
CREATE VIEW with_function AS SELECT id, doubled(tiny) AS d FROM kinds //
SET SESSION sql_mode = 'ORACLE' //
CREATE PACKAGE tools AS FUNCTION three RETURN INT; END //
CREATE PACKAGE BODY tools AS FUNCTION three RETURN INT AS BEGIN RETURN 3; END; END //
SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION' //
SET SESSION time_zone = '+02:00' //
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' ON COMPLETION PRESERVE
  COMMENT 'ENABLE; DISABLE' DO BEGIN DELETE FROM log WHERE id < 0; DELETE FROM log WHERE said = 'ENABLE'; END //
CREATE EVENT `odd ENABLE ``event``` ON SCHEDULE EVERY '1:30' HOUR_MINUTE DISABLE DO DELETE FROM log WHERE id < 0 //
CREATE EVENT every_second ON SCHEDULE EVERY 1 SECOND DO INSERT INTO log (said) VALUES ('the event ran') //
DELIMITER ;
