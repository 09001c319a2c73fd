"""The passwords that are tried first: long enough for the rules, and in everybody's list.

Only those of eight characters or more stand here, because shorter ones are refused anyway. All are
in lower case; a password is compared without regard to case. Data, and nothing else.
"""

from __future__ import annotations

from typing import Final

_DIGITS: Final = """
00000000 000000000 0000000000 01010101 01020304 010203040506 0123456789 012345678 09876543
0987654321 10101010 1020304050 10203040 11111111 111111111 1111111111 11112222 11223344 1122334455
112233445566 11235813 12121212 123123123 1231231234 12312312 123123123123 12341234 1234512345
12344321 1234554321 123454321 12345678 123456789 1234567890 12345678900 1234567891 12345678910
123456789123 1234567899 123456780 12345679 12345687 12345671 123456123456 123456654321
1234567887654321 123321123 12332112 12345600 13131313 131313131 13579246 135792468 1357908642
14141414 142536475869 14725836 147258369 1472583690 147852369 15151515 159159159 159753456
159357258 16161616 159487263 18181818 19191919 19841984 19851985 19861986 19871987 19881988
19891989 19901990 19911991 19921992 20002000 20102010 20202020 20212021 20222022 20232023 20242024
20252025 20262026 21212121 22222222 222222222 23232323 24681012 246810121416 25252525 25802580
31415926 314159265 32323232 33333333 333333333 36925814 369258147 42424242 44444444 444444444
45454545 456456456 55555555 555555555 5555555555 56565656 65656565 66666666 666666666 69696969
741852963 74108520963 75315982 77777777 777777777 7777777777 78787878 78945612 789456123 7894561230
78963214 789789789 80808080 85208520 852456963 87654321 876543210 88888888 888888888 8888888888
89898989 963852741 95175346 98765432 987654321 9876543210 987456321 98989898 99999999 999999999
9999999999
"""

_KEYS: Final = """
1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 1qaz1qaz 1q1q1q1q 123qweasd
123qweasdzxc 123qwe123 123qwe123qwe 12qwaszx 1234qwer 12345qwert 123456qwerty 1234qwerasdf
123456qwe 12345qwe 12345qwer 1qw23er4 2wsx3edc 2wsxzaq1 3edc4rfv 4rfv5tgb 741852963q 789456123a
a1b2c3d4 a1s2d3f4 a1234567 a12345678 a123456789 a123456a aa123456 aa12345678 aaaaaaaa aaaaaaaaa
aaaaaaaaaa ab123456 abc12345 abc123456 abc123abc abcabcabc abcd1234 abcd12345 abcde12345 abcdefgh
abcdefghi abcdefghij abcdefg1 abcdef123 adgjmptw asd123asd asd123456 asdasd123 asdasdasd asdf1234
asdf12345 asdfasdf asdfghjk asdfghjkl asdfghjkl1 asdfghjkl; asdf;lkj asdfjkl; asdfqwer asdqwe123
asdzxc123 azertyui azertyuiop azsxdcfv azerty123 bbbbbbbb cccccccc dddddddd fghjklas hhhhhhhh
lkjhgfdsa mnbvcxz1 mnbvcxzlkjhgfdsa nbvcxz12 poiuytre poiuytrewq q1q2q3q4 q1w2e3r4 q1w2e3r4t5
q1w2e3r4t5y6 q12345678 q123456789 qazqazqaz qazwsx12 qazwsx123 qazwsxed qazwsxedc qazwsxedcrfv
qazxsw21 qazxswedc qazxcvbnm qq123456 qqqqqqqq qqww1122 qwaszx12 qwe123456 qwe123qwe qweasd123
qweasdzx qweasdzxc qweasdzxc123 qweqweqwe qwer1234 qwer12345 qwer4321 qwerasdf qwerasdfzxcv
qwerqwer qwert123 qwert12345 qwert1234 qwerty00 qwerty01 qwerty11 qwerty12 qwerty123 qwerty1234
qwerty12345 qwerty123456 qwerty21 qwerty22 qwerty321 qwerty77 qwerty789 qwerty99 qwertyqwerty
qwertyui qwertyuio qwertyuiop qwertyuiop123 qwertz123 qwertzui qwertzuiop qwert54321 ssssssss
tttttttt w123456789 wwwwwwww xxxxxxxx xxxxxxxxxx yyyyyyyy z1x2c3v4 zaq12wsx zaq1zaq1 zaq1xsw2
zaqwsx123 zaqxsw123 zxc123456 zxcasdqwe zxcasdqwe123 zxcv1234 zxcvasdf zxcvbnm1 zxcvbnm12
zxcvbnm123 zxcvbnm, zxcvzxcv zxczxczxc zzzzzzzz zz123456
"""

_WORDS: Final = """
access14 administrator administrador admin123 admin1234 admin12345 admin123456 admin@123 adminadmin
airborne alexander alexandra alejandro amsterdam angel123 angelica anthony1 arsenal1 asshole1
babygirl babygirl1 baseball baseball1 basketball batman123 beautiful bigdaddy blink182 bonjour1
boomer12 brandon1 brittany broncos1 bubbles1 bulldogs butterfly buttercup caroline carolina
catherine challenge champion changeme changeme1 changeme123 changethis charlie1 charlotte cheyenne
chelsea1 cherokee chester1 chicken1 chocolate chocolate1 christian christina christine christopher
cocacola colorado computer computer1 coolcool cooldude corvette courtney cowboys1 creative crystal1
danielle danielle1 darkness december default1 defaultpassword demo1234 diamond1 dictionary dolphin1
dolphins dragon12 dragon123 dragonball drowssap einstein eldorado elephant elizabeth emmanuel
everton1 explorer fernando ferrari1 fireball firebird flowers1 football football1 football123
formula1 forever1 forsaken francesco franklin freedom1 friendly friends1 fuckyou1 fuckyou123
fuckyou2 fuckyoubitch gabriela gabriele garfield gateway1 geronimo gfhjkmgfhjkm giovanni goldfish
godzilla graduate greenday guitar12 guinness hahahaha hallo123 hannover happy123 hardcore
harrypotter hawaii50 heather1 hello123 hello1234 hello12345 hellohello hellokitty hercules highland
holiday1 hollywood homepage honeybee hunter12 hunter123 iceman12 idontknow iloveyou iloveyou1
iloveyou12 iloveyou123 iloveyou2 iloveyou! ilovegod iloveme1 infinity internet internet1 ireland1
isabella jackson1 jasmine1 jeffrey1 jennifer jennifer1 jessica1 jesus123 jesuschrist johncena
jonathan jordan23 jordan123 justin12 kathleen katherine killer12 killer123 kimberly kingkong
knight12 kristina lakers24 lalalala lawrence leonardo letmein1 letmein12 letmein123 letmeinnow
letmein! lifehack liverpool liverpool1 lollipop love1234 love12345 lovelove lovely123 loveme12
loveyou1 lovers12 madison1 majestic manchester manunited marcus12 margaret margarita marie123
marihuana marlboro martinez master12 master123 matthew1 matthew2 maverick maxwell1 mercedes
metallica metallica1 michael1 michael2 michelle michelle1 microsoft midnight minecraft minecraft1
mississippi monalisa monkey12 monkey123 monster1 montana1 morpheus motorola mountain mustang1
myspace1 mypassword mypassword1 napoleon nathaniel nicholas nicholas1 nicole12 nightmare nintendo
nirvana1 nokia5800 november nopassword nothing1 october1 operator1 p@55w0rd p@ssw0rd p@ssw0rd1
p@ssw0rd123 p@ssword p@ssword1 p@ssword123 pa$$w0rd pa$$word pa55w0rd pa55word pakistan panasonic
panther1 paradise passport passw0rd passw0rd1 passw0rd123 passw0rd! password password! password0
password00 password01 password1 password1! password10 password11 password12 password12! password123
password123! password1234 password12345 password123456 password2 password21 password22 password3
password321 password4 password5 password6 password69 password7 password77 password8 password88
password9 password99 password@1 password@123 passwordpassword passwort passwort1 patricia patrick1
peanut12 pebbles1 penelope personal philippe phoenix1 pokemon1 pokemon12 pokemon123 portugal
precious predator presario princess princess1 princess12 princess123 professor punkrock
qwertypassword rainbow1 rangers1 rational rebecca1 red12345 redskins remember research richard1
robinson rockstar1 rockyou1 rolltide ronaldo7 rootroot root1234 rosebud1 rush2112 samantha
samantha1 samsung1 samsung123 sandiego sandra12 savannah scarface scarlett scorpion scotland
scooter1 sebastian secret12 secret123 secretpassword security september serenity servant1 shadow12
shadow123 sherlock sigmachi simpsons skateboard slipknot slipknot1 snickers snoopdog snowball
snowboard snowflake soccer10 soccer12 soccer123 softball somethin spiderman spiderman1 spongebob
spitfire spring2023 spring2024 spring2025 startrek starwars starwars1 stephanie steelers steelers1
stardust strawberry summer12 summer123 summer2023 summer2024 summer2025 sunflower sunshine
sunshine1 sunshine12 sunshine123 superman superman1 superman123 superstar supersecret superuser
sysadmin sweetheart sweetpea swordfish telephone temporary temp1234 temppass temppassword tennessee
terminator test1234 test12345 test123456 testing1 testing123 testpass testpassword testtest
testtest1 thebeast theking1 thomas123 thuglife tiffany1 tigger12 tinkerbell titanium together
tomorrow tottenham treasure trinity1 trustno1 twilight undertaker unicorn1 universal univers1
user1234 username valentin valentina vanessa1 veronica victoria victoria1 vincent1 virginia
volleyball warcraft warcraft1 warrior1 washington welcome1 welcome12 welcome123 welcome1234
welcome@123 whatever whatever1 whatsup1 wildcats william1 willow12 winston1 winter12 winter123
winter2023 winter2024 winter2025 wolfgang woodland wrestling yamaha12 yankees1 yourmom1 zeppelin
zachary1
"""

WEAK_PASSWORDS: Final = frozenset(f"{_DIGITS} {_KEYS} {_WORDS}".split())
