import time
def test_dbg(make_engine, open_browser):
    e=make_engine({}); s=open_browser(e); p=s.new_tab()
    s.ask(p,"학생만 천천히")
    for i in range(6):
        p.wait_for_timeout(1500)
        print(i, repr(p.inner_text('#right')[:150]), '|', repr(p.inner_text('#left')[-120:]), flush=True)
    print(e.teacher.live.requests, e.teacher.live.endings)
    p.screenshot(path='/tmp/pagedev/dbg.png')
    p.click('#stop-all'); p.wait_for_timeout(2000)
    print(repr(p.inner_text('#left')[-120:]))
